import {describe, expect, it} from 'vitest';
import {canBeDataKey} from '../../src/domain/mesh/istio-name.js';
import {emptyBox, meshBox, snapshot, type Box} from './harness/box.js';
import {rows} from './harness/commands.js';
import {expectExit} from './harness/run.js';

/** Names that a script passes by mistake or an attacker on purpose. One that begins with a dash follows `--`. */
const hostile = [
  '../x',
  '..',
  '.',
  '/etc/x',
  'a/b',
  '-f',
  '--',
  '--output=json',
  'Cluster1',
  'a'.repeat(64),
  '',
  ' ',
  'a b',
  'a\nb',
  'clüster',
  'a\u202eb',
  '$(touch x)',
  '.pending',
];

describe.each(rows(({takesContexts}) => takesContexts !== true))('%s', (_name, row) => {
  const {takesIstioNames = false} = row;

  it('takes no hostile cluster name, and writes nothing for it, inside or outside', async () => {
    const tryAll = async (box: Box, names: readonly string[]): Promise<void> => {
      const before = await snapshot(box.dir);
      for (const name of names) {
        const words = row.words('\0').filter((word) => word !== '\0');
        const run = await box.run([...words, '--', name]);
        // That no cluster has this name is only known if every cluster can be read.
        const code = takesIstioNames && canBeDataKey(name) ? 4 : 2;
        expectExit(run, code, `${words.join(' ')} -- ${JSON.stringify(name)}`);
        // Nothing a terminal would obey is repeated to it.
        expect(run.stderr).not.toMatch(/\u202e/);
      }
      expect(await snapshot(box.dir)).toEqual(before);
      await box.dispose();
    };
    await Promise.all([tryAll(await meshBox(), hostile), tryAll(await emptyBox(), hostile.slice(0, 2))]);
  });
});

it.each(['../x=ctx', '-x=ctx', 'X=ctx', '=ctx', 'a=', 'a=b\nc', 'a=\u001b[2J'])(
  'init takes no hostile NAME=CONTEXT: %j',
  async (word) => {
    const box = await emptyBox();
    expectExit(await box.run(['init', '--', word]), 2, word);
    expect(await snapshot(box.work)).toEqual({});
    await box.dispose();
  },
);

it.each(['../x=ctx', '-x=ctx', 'X=ctx', '=ctx', 'a=', ''])(
  'certs adopt takes no hostile NAME=CONTEXT: %j',
  async (word) => {
    const box = await emptyBox();
    expectExit(await box.run(['certs', 'adopt', '--', word]), 2, word);
    expect(await snapshot(box.work)).toEqual({});
    await box.dispose();
  },
);

it.each(['../x', '-f', 'X', 'a b', ''])(
  "init --from-env takes no hostile name from the guide's variables: %j",
  async (name) => {
    const box = await emptyBox();
    const env = {...box.env, CLUSTER_1: name, CTX_1: 'ctx', NETWORK_1: 'network1'};
    expectExit(await box.run(['init', '--from-env'], {env}), 2, name);
    expect(await snapshot(box.work)).toEqual({});
    await box.dispose();
  },
);

it.each(['../x', '-f', 'X', 'a b', ''])('a hostile network or mesh ID is not written anywhere: %j', async (value) => {
  const box = await meshBox();
  const before = await snapshot(box.work);
  const fresh = ['install', 'render', 'cluster1', '--istio-version', '1.31'];
  for (const flag of ['--network', '--mesh-id']) {
    expectExit(await box.run([...fresh, `${flag}=${value}`]), 2, `${flag}=${value}`);
  }
  expect(await snapshot(box.work)).toEqual(before);
  await box.dispose();
});
