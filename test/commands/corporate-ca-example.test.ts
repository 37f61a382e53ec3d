/** examples/corporate-ca.sh with a kubectl that records its arguments; an end-to-end test covers the whole script. */
import {execFileSync} from 'node:child_process';
import {X509Certificate} from 'node:crypto';
import {dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {CorporateCa} from '../helpers/corporate-ca.js';
import {openssl} from '../helpers/openssl.js';
import {createWorkDir, type TestWorkDir} from '../helpers/work-dir.js';

const example = fileURLToPath(new URL('../../examples/corporate-ca.sh', import.meta.url));
const root = CorporateCa.root();
let dir: TestWorkDir;
beforeEach(async () => {
  dir = await createWorkDir();
  const key = openssl(['genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256']);
  await dir.write('key.pem', key, 0o600);
  await dir.write('requested.csr', openssl(['req', '-new', '-key', `${dir.root}/key.pem`, '-subj', '/O=Istio/L=c1']));
  const kubectl = `#!/bin/sh
echo "$*" >>"$WORK_DIR/calls"
case "$*" in
  *'-o csr') cat "$WORK_DIR/requested.csr" ;;
  *'certs import'*) cp "$5" "$WORK_DIR/answer.pem" ;;
esac
`;
  await dir.write('bin/kubectl', kubectl, 0o755);
});
afterEach(() => dir.dispose());

/** Runs the script. Returns the imported certificate's validity and the import command. */
async function run(words: readonly string[], env: Readonly<Record<string, string>>) {
  execFileSync('bash', [example, ...words], {
    stdio: 'ignore',
    env: {
      PATH: `${dir.root}/bin:${process.env.PATH ?? ''}`,
      WORK_DIR: dir.root,
      ROOT_CERT: root.certificatePath,
      CA_CERT: root.certificatePath,
      CA_KEY: join(dirname(root.certificatePath), 'key.pem'),
      ...env,
    },
  });
  const {validFrom, validTo} = new X509Certificate(await dir.read('answer.pem'));
  const calls = (await dir.read('calls')).split('\n');
  return {
    days: Math.round((Date.parse(validTo) - Date.parse(validFrom)) / 86_400_000),
    imported: calls.find((call) => call.startsWith('mesh certs import')) ?? '',
  };
}

describe('examples/corporate-ca.sh', () => {
  it('signs for 730 days and skips no prompt by default', async () => {
    const {days, imported} = await run(['c1'], {});
    expect(days).toBe(730);
    expect(imported).toMatch(/^mesh certs import c1 /);
    expect(imported).not.toContain('--yes');
  });

  it.each([
    ['YES=1', ['c1'], {YES: '1'}],
    ['-y', ['-y', 'c1'], {}],
  ])('signs for DAYS, and skips the renewal prompt with %s', async (_, words, env) => {
    const {days, imported} = await run(words, {DAYS: '90', ...env});
    expect(days).toBe(90);
    expect(imported).toMatch(/^mesh certs import c1 .* --yes$/);
  });
});
