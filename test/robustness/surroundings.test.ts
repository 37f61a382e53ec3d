import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {clusterNames, meshBox, snapshot, type Box} from './harness/box.js';
import {rows} from './harness/commands.js';
import {expectNoCrash, program, runChild} from './harness/run.js';

let box: Box;

beforeAll(async () => {
  box = await meshBox();
  await box.tool('kubectl', 'echo "error: context \\"x\\" does not exist" >&2; exit 1');
  await box.tool('istioctl', `echo '{"clientVersion":{"version":"1.31.0"}}'`);
});

afterAll(async () => {
  await box.dispose();
});

/** Surroundings that shells, cron and CI give a program. */
const streams = [
  ['a reader that goes away', '"$@" | head -n 1'],
  ['a reader of everything that goes away', '"$@" 2>&1 | head -n 1'],
  ['a reader that never reads', '"$@" | true'],
  ['closed standard output', '"$@" >&-'],
  ['closed standard error', '"$@" 2>&-'],
  ['all streams closed', '"$@" <&- >&- 2>&-'],
] as const;

const environments: readonly (readonly [what: string, change: Record<string, string | undefined>])[] = [
  ['no HOME', {HOME: undefined}],
  ['a HOME that is not there', {HOME: '/nonexistent'}],
  ['no PATH', {PATH: undefined}],
  ['an empty PATH', {PATH: ''}],
  ['the C locale', {LANG: 'C', LC_ALL: 'C'}],
  ['a dumb terminal', {TERM: 'dumb', NO_COLOR: '1', COLUMNS: '20'}],
  ['a TMPDIR that is not there', {TMPDIR: '/nonexistent'}],
  ['nothing at all', {HOME: undefined, PATH: undefined, LANG: undefined, TMPDIR: undefined}],
];

/** `up` and `verify` look at everything: the others are parts of it. */
const words = [...rows().map(([, row]) => row.words('cluster1')), ['--help'], ['certs', '--help'], ['--version']];

describe.each(streams)('with %s', (_what, script) => {
  it('no command crashes', async () => {
    for (const args of words) {
      const run = await box.run([...args], {through: ['bash', '-c', `${script}; exit 0`, 'bash']});
      expectNoCrash(run, args.join(' '));
      expect(run.stderr).not.toMatch(/EPIPE|EBADF/);
    }
  });
});

describe.each(environments)('with %s', (_what, change) => {
  it('no command crashes', async () => {
    const env = Object.fromEntries(
      Object.entries({...box.env, ...change}).filter((pair): pair is [string, string] => pair[1] !== undefined),
    );
    for (const args of words) {
      const run = await box.run([...args], {env});
      expectNoCrash(run, args.join(' '));
      if (!args.some((word) => word.startsWith('--'))) expect(`${run.stdout}${run.stderr}`).not.toBe('');
    }
  });
});

it('draws on a terminal of 20 columns, and on one that says none, without a crash', async () => {
  const draw = async (columns: number, args: string, expected: string): Promise<void> => {
    const command = `stty cols ${String(columns)} rows 5; ${process.execPath} ${program} ${args}`;
    // The passphrase that `certs passphrase` has set above.
    const env = {...box.env, TERM: 'xterm', KUBECTL_MESH_PASSPHRASE: 'another'};
    // script(1) gives a program a terminal.
    const run = await runChild('script', ['-qec', command, '/dev/null'], {cwd: box.work, env});
    expectNoCrash(run, command);
    expect(run.stdout).toContain(expected);
  };
  for (const columns of [20, 0]) {
    await draw(columns, `certs generate ${clusterNames.join(' ')} --renew --yes`, 'ecdsa');
    await draw(columns, 'certs list -o wide', 'root');
    await draw(columns, 'verify --offline -v', 'MESH101');
    await draw(columns, '--help', 'USAGE');
    await draw(columns, 'trust push', 'cluster1');
  }
  expect(await snapshot(box.tmp)).toEqual({});
});
