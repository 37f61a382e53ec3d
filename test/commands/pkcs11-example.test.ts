/** examples/signers/pkcs11-tool.sh without a terminal; an end-to-end test covers it with a token. */
import {spawnSync} from 'node:child_process';
import {fileURLToPath} from 'node:url';
import {expect, it} from 'vitest';

const example = fileURLToPath(new URL('../../examples/signers/pkcs11-tool.sh', import.meta.url));

it('pkcs11-tool.sh requires PKCS11_PIN without a terminal', () => {
  // A new session has no controlling terminal.
  const words = ['-w', 'bash', example, '/no/module.so', 'token', '01', 'sign', 'ecdsa-with-SHA256'];
  const done = spawnSync('setsid', words, {input: 'message', encoding: 'utf8', env: {PATH: process.env.PATH}});
  expect(done.status).toBe(1);
  expect(done.stderr).toContain('set PKCS11_PIN');
  expect(done.stderr).not.toContain('/dev/tty');
});
