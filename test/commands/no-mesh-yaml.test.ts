/** Commands in a directory without mesh.yaml. */
import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {afterEach, beforeEach, expect, it} from 'vitest';
import CertsList from '../../src/commands/certs/list.js';
import Init from '../../src/commands/init.js';
import {answerOf, runCommand} from '../helpers/run-command.js';
import {createWorkDir, type TestWorkDir} from '../helpers/work-dir.js';

let dir: TestWorkDir;
beforeEach(async () => {
  dir = await createWorkDir();
});
afterEach(() => dir.dispose());

interface Failure {
  readonly error: {readonly code: string; readonly message: string; readonly hints: readonly unknown[]};
}

async function errorIn(workDir: string): Promise<Failure['error']> {
  const run = await runCommand(CertsList, ['-o', 'json', '-w', workDir]);
  expect(run.code).toBe(2);
  return (answerOf(run) as Failure).error;
}

it('names the directory', async () => {
  expect(await errorIn(dir.root)).toMatchObject({
    code: 'MESH_YAML_MISSING',
    message: expect.stringContaining(dir.root) as string,
  });
});

it('says that the directory does not exist', async () => {
  const missing = join(dir.root, 'typo');
  const {code, message} = await errorIn(missing);
  expect(code).toBe('MESH_YAML_MISSING');
  expect(message).toContain(`${missing} does not exist`);
});

it('does not suggest creating a mesh in a file', async () => {
  const file = join(dir.root, 'file');
  await writeFile(file, '');
  const {message, hints} = await errorIn(file);
  expect(message).toContain('is not a directory');
  expect(JSON.stringify(hints)).not.toContain('init');
});

it("suggests the parent directory's mesh.yaml in a cluster's directory", async () => {
  await runCommand(Init, ['c1', '-w', dir.root]);
  await dir.write('c1/ca-cert.pem', '');
  const {hints} = await errorIn(join(dir.root, 'c1'));
  expect(hints[0]).toContain(`--work-dir ${dir.root}`);
});
