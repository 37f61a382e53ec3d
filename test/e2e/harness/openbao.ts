/**
 * A real OpenBao on loopback, over TLS with a CA of its own, in memory: not initialised, sealed or at work, as the test
 * wants it. What an operator does is done with `bao`, as an operator does it.
 */
import {mkdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {openssl} from '../../helpers/openssl.js';
import {peerTool} from '../../helpers/peer-tools.js';
import {at} from './mesh.js';
import {eventually, freePorts, HarnessError, output, type Sandbox} from './processes.js';

/** Exit code of `bao status` for a server that is sealed, or not initialised (openbao/openbao command/status.go). */
const sealedStatus = 2;

/** A server. */
export class OpenBao {
  #unsealKey = '';
  #rootToken = '';

  private constructor(
    readonly address: string,
    /** File with the CA of the server's certificate. */
    readonly caCert: string,
    private readonly directory: string,
  ) {}

  /** Starts one, not initialised; it ends with the sandbox. */
  static async start(sandbox: Sandbox): Promise<OpenBao> {
    const directory = join(sandbox.dir, 'openbao');
    mkdirSync(directory);
    makeTls(directory);
    const port = at(await freePorts(2), 0);
    const config = join(directory, 'config.hcl');
    writeFileSync(
      config,
      [
        'storage "inmem" {}',
        'disable_mlock = true',
        `listener "tcp" {`,
        `  address = "127.0.0.1:${String(port)}"`,
        `  tls_cert_file = "${join(directory, 'tls.pem')}"`,
        `  tls_key_file = "${join(directory, 'tls-key.pem')}"`,
        '}',
        '',
      ].join('\n'),
    );
    const daemon = sandbox.start({
      name: 'openbao',
      // The installed program replaces itself by one outside the sandbox: a shell that the reaper knows ends it.
      command: 'sh',
      args: ['-c', '"$0" server -config="$1" & trap "kill $!" TERM; wait; wait', peerTool('bao'), config],
      env: {PATH: process.env.PATH, HOME: directory},
    });
    const bao = new OpenBao(`https://127.0.0.1:${String(port)}`, join(directory, 'ca.pem'), directory);
    await eventually('OpenBao answers', async () => {
      if (!daemon.running()) throw new HarnessError(`OpenBao ended:\n${sandbox.logTails()}`);
      const status = await bao.json('status').catch((error: unknown) => String(error));
      return typeof status === 'string' && !status.includes(`ended with ${String(sealedStatus)}`) ? undefined : true;
    });
    return bao;
  }

  /** `bao ARGS` as the operator; its standard output. Throws for a bad exit code. */
  bao(...args: string[]): Promise<string> {
    return this.#run(args);
  }

  /** `bao ARGS` with an answer in JSON, parsed. */
  async json(...args: string[]): Promise<unknown> {
    return JSON.parse(await this.#run(args, {BAO_FORMAT: 'json'}));
  }

  /** The `data` of what `bao write` answers. */
  async write(path: string, ...fields: string[]): Promise<Readonly<Record<string, string>>> {
    const {data} = (await this.json('write', ...(fields.length === 0 ? ['-force'] : []), path, ...fields)) as {
      data: Record<string, string>;
    };
    return data;
  }

  /** Makes its keys. It stays sealed. */
  async initialize(): Promise<void> {
    const made = await this.json('operator', 'init', '-key-shares=1', '-key-threshold=1');
    const {unseal_keys_b64: keys, root_token: token} = made as {unseal_keys_b64: string[]; root_token: string};
    this.#unsealKey = at(keys, 0);
    this.#rootToken = token;
  }

  async unseal(): Promise<void> {
    await this.#run(['operator', 'unseal', this.#unsealKey]);
  }

  async seal(): Promise<void> {
    await this.#run(['operator', 'seal']);
  }

  /** A PKI engine at `mount` with a root of its own. */
  async makeRoot(mount: string, name: string): Promise<void> {
    await this.bao('secrets', 'enable', `-path=${mount}`, '-max-lease-ttl=87600h', 'pki');
    await this.write(`${mount}/root/generate/internal`, `common_name=${name}`, 'key_type=ec', 'ttl=87600h');
  }

  /** A PKI engine at `mount` whose only issuer stands below the root of another; `withRoot`: it knows that root, too. */
  async makeIntermediate(mount: string, root: string, name: string, withRoot = true): Promise<void> {
    await this.bao('secrets', 'enable', `-path=${mount}`, '-max-lease-ttl=43800h', 'pki');
    const {csr = ''} = await this.write(
      `${mount}/intermediate/generate/internal`,
      `common_name=${name}`,
      'key_type=ec',
    );
    const signed = await this.write(
      `${root}/root/sign-intermediate`,
      ...[`csr=${csr}`, `common_name=${name}`, 'ttl=43800h', `format=${withRoot ? 'pem_bundle' : 'pem'}`],
    );
    await this.write(`${mount}/intermediate/set-signed`, `certificate=${signed.certificate ?? ''}`);
  }

  /** A token with these policies and the default one. */
  async token(...policies: string[]): Promise<string> {
    const made = await this.json('token', 'create', ...policies.map((policy) => `-policy=${policy}`));
    return (made as {auth: {client_token: string}}).auth.client_token;
  }

  /** Writes a policy. */
  async policy(name: string, rules: string): Promise<void> {
    const file = join(this.directory, `${name}.hcl`);
    writeFileSync(file, rules);
    await this.bao('policy', 'write', name, file);
  }

  /** How many tokens there are now. */
  async tokens(): Promise<number> {
    return ((await this.json('list', 'auth/token/accessors')) as unknown[]).length;
  }

  #run(args: readonly string[], more: NodeJS.ProcessEnv = {}): Promise<string> {
    return output(peerTool('bao'), args, {
      env: {
        PATH: process.env.PATH,
        HOME: this.directory,
        BAO_ADDR: this.address,
        BAO_CACERT: this.caCert,
        BAO_TOKEN: this.#rootToken,
        ...more,
      },
    });
  }
}

/** The server's certificate and its CA, by openssl. */
function makeTls(directory: string): void {
  const file = (name: string): string => join(directory, name);
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-noenc'];
  openssl([
    ...['req', '-x509', ...newKey, '-keyout', file('ca-key.pem'), '-out', file('ca.pem'), '-days', '2'],
    ...['-subj', '/CN=CA of the Vault server', '-addext', 'keyUsage=critical,keyCertSign'],
  ]);
  openssl([
    ...['req', '-x509', ...newKey, '-keyout', file('tls-key.pem'), '-out', file('tls.pem'), '-days', '2'],
    ...['-CA', file('ca.pem'), '-CAkey', file('ca-key.pem'), '-subj', '/CN=openbao'],
    ...['-addext', 'subjectAltName=IP:127.0.0.1', '-addext', 'basicConstraints=critical,CA:FALSE'],
  ]);
}
