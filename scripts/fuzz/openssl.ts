/** What openssl verify reports on a cluster CA: for information, since neither istiod nor the proxies use it. */
import {execFile} from 'node:child_process';
import {join} from 'node:path';
import {promisify} from 'node:util';

const execute = promisify(execFile);

/** One line: the results without and with `-x509_strict`. */
export async function opensslVerdict(dir: string): Promise<string> {
  const file = (name: string): string => join(dir, name);
  const verify = async (...options: readonly string[]): Promise<string> => {
    const files = ['-CAfile', file('root-cert.pem'), '-untrusted', file('cert-chain.pem'), file('ca-cert.pem')];
    try {
      await execute('openssl', ['verify', ...options, ...files], {timeout: 10_000});
      return 'ok';
    } catch (error) {
      const {stderr = '', message} = error as Error & {stderr?: string};
      const text = stderr.replaceAll(`${dir}/`, '');
      return /^error \d+ at .*lookup: ?(.*)$/m.exec(text)?.[1] ?? /^.+/.exec(text)?.[0] ?? message;
    }
  };
  const [usual, strict] = await Promise.all([verify(), verify('-x509_strict')]);
  return usual === strict ? usual : `${usual}; strict: ${strict}`;
}
