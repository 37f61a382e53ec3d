import {mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, expect, it} from 'vitest';
import {importMakefileDirectory} from '../../../src/operations/shared/import-makefile.js';
import {createWorkspace} from '../../../src/workspace/create.js';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'take-over-'));
  await writeFile(join(root, 'k8s-root-cert.pem'), 'certificate');
  await writeFile(join(root, 'k8s-root-key.pem'), 'key');
});
afterEach(() => rm(root, {recursive: true}));

const workspace = () => createWorkspace({root, now: () => new Date()});

it("copies the root of a Kubernetes cluster under istiod's names", async () => {
  const {files} = await importMakefileDirectory({workspace: workspace()});
  expect(files.map(({path}) => path).sort()).toEqual(['root-cert.pem', 'root-key.pem']);
});

it.each(['readText', 'readSecret'] as const)(
  'writes no empty copy of a file that is deleted before %s',
  async (read) => {
    const vanished = {...workspace(), [read]: () => Promise.resolve(undefined)};
    await expect(importMakefileDirectory({workspace: vanished})).rejects.toMatchObject({code: 'FILE_MISSING'});
  },
);
