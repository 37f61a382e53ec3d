import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect, it} from 'vitest';
import {requireConfirmed} from '../../src/signers/confirmation.js';
import type {SignerContext} from '../../src/signers/signer-module.js';
import {createWorkspace} from '../../src/workspace/create.js';
import {temporaryRoot} from '../workspace/temporary-root.js';

it('does not accept a program that changed while the prompt was shown', async () => {
  const root = await temporaryRoot();
  const [spec, added] = [{type: 'command' as const, argv: ['./sign.sh']}, [] as string[]];
  writeFileSync(join(root, 'sign.sh'), 'reviewed');
  const confirm = (answer: () => void): Promise<void> =>
    requireConfirmed(spec, {
      workspace: createWorkspace({root, now: () => new Date()}),
      environment: {},
      now: () => new Date(),
      confirmation: {
        all: false,
        confirmed: {has: () => Promise.resolve(false), add: (hash) => Promise.resolve(void added.push(hash))},
        terminal: {
          interactive: true,
          confirm: () => {
            answer();
            return Promise.resolve(true);
          },
        },
        warn: () => undefined,
      },
    } satisfies Partial<SignerContext> as unknown as SignerContext);
  const swap = (): void => {
    writeFileSync(join(root, 'sign.sh'), 'swapped');
  };
  await expect(confirm(swap)).rejects.toMatchObject({code: 'MESH_YAML_NOT_TRUSTED'});
  expect(added).toEqual([]);
  await confirm(() => undefined);
  expect(added).toHaveLength(1);
});
