import {execFileSync} from 'node:child_process';
import {readdir, rm} from 'node:fs/promises';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import Init from '../../src/commands/init.js';
import JournalVerify from '../../src/commands/journal/verify.js';
import Verify from '../../src/commands/verify.js';
import type {Row} from '../../src/domain/checks/report.js';
import type {VerifyResult} from '../../src/operations/verify/verify.js';
import {createWorkspace} from '../../src/workspace/create.js';
import {answerOf, runCommand} from '../helpers/run-command.js';
import {tinyRoot} from '../helpers/tiny-ca.js';
import {createWorkDir, type TestWorkDir} from '../helpers/work-dir.js';
import type {AsJson} from '../helpers/suggestions.js';

let dir: TestWorkDir;

beforeEach(async () => {
  dir = await createWorkDir();
  for (const cluster of ['c1', 'c2']) await init(`${cluster}=ctx-${cluster}`);
});
afterEach(() => dir.dispose());

async function init(...words: string[]): Promise<void> {
  expect((await runCommand(Init, [...words, '-w', dir.root])).code).toBe(0);
}

async function judged(): Promise<AsJson<Row>> {
  const run = await runCommand(Verify, ['--offline', '--only', 'MESH113', '-o', 'json', '-w', dir.root]);
  const [row, ...others] = (answerOf(run) as AsJson<VerifyResult>).checks;
  if (!row || others.length > 0) throw new Error(run.stdout);
  return row;
}

/** Runs a fix as printed. */
async function fix(fix: string): Promise<void> {
  const [, words] = /^kubectl mesh init( .*)?$/.exec(fix) ?? [];
  if (words === undefined) execFileSync('sh', ['-c', fix]);
  else expect(words).toBe(` -w ${dir.root}`);
  await init();
}

const edit = async (change: (lines: string[]) => string): Promise<void> => {
  const lines = (await dir.read('journal.jsonl')).split('\n').slice(0, -1);
  await dir.write('journal.jsonl', change(lines));
};
const joined = (lines: readonly string[]): string => lines.map((line) => `${line}\n`).join('');

/** Writes an intent like a run that is then killed. */
async function killedRun(): Promise<void> {
  const {journal} = createWorkspace({root: dir.root, now: () => new Date('2026-05-01T10:00:00Z')});
  await journal.intent({command: 'trust push', action: 'c1/cacerts', cluster: 'c1', title: 'create Secret cacerts'});
}

describe('MESH113', () => {
  it('is ok for the entries of runs', async () => {
    expect(await judged()).toMatchObject({result: 'ok', observed: '4 entries in 1 chain'});
  });

  it('does not apply without changes', async () => {
    const fresh = await createWorkDir();
    await fresh.write('mesh.yaml', await dir.read('mesh.yaml'));
    const run = await runCommand(Verify, ['--offline', '--only', 'MESH113', '-o', 'json', '-w', fresh.root]);
    await fresh.dispose();
    expect((answerOf(run) as AsJson<VerifyResult>).checks).toMatchObject([{result: 'skipped'}]);
  });

  it('is a warning if the journal was deleted from a directory with a root CA that certs generate created', async () => {
    const {certificate} = await tinyRoot();
    await dir.write('root-cert.pem', certificate.pem);
    await rm(join(dir.root, 'journal.jsonl'));
    await rm(join(dir.root, '.journal-head.json'));
    expect(await judged()).toMatchObject({result: 'warning', fix: expect.stringContaining('journal verify') as string});
    const run = await runCommand(JournalVerify, ['--offline', '-o', 'json', '-w', dir.root]);
    expect([run.code, answerOf(run)]).toMatchObject([4, {verdict: 'unknown', journal: {present: false}}]);
    const {stderr} = await runCommand(Init, ['c3', '-w', dir.root]);
    expect(stderr).toMatch(/^Warning: .*journal verify/m);
  });

  it.each<[string, (root: string) => string]>([
    ['another tool created the root CA', (root) => root],
    ['the directory has no root CA', () => ''],
  ])('does not apply without a journal if %s', async (_, rootOf) => {
    const other = await tinyRoot({change: (template) => ({...template, subject: [{type: 'CN', value: 'Root CA'}]})});
    const text = rootOf(other.certificate.pem);
    if (text !== '') await dir.write('root-cert.pem', text);
    await rm(join(dir.root, 'journal.jsonl'));
    await rm(join(dir.root, '.journal-head.json'));
    expect(await judged()).toMatchObject({result: 'skipped'});
    expect((await runCommand(JournalVerify, ['--offline', '-w', dir.root])).code).toBe(0);
    expect((await runCommand(Init, ['c3', '-w', dir.root])).stderr).not.toContain('Warning');
  });

  it('is reported by a change that extends a modified journal', async () => {
    await edit(([first = '', ...rest]) => joined([first.replace('init', 'iniT'), ...rest]));
    const {code, stderr} = await runCommand(Init, ['c3', '-w', dir.root]);
    expect([code, stderr]).toEqual([0, expect.stringMatching(/^Warning: .*line 1: .*journal verify/m)]);
  });

  it('reports no problem to a change that closes a line that a crash truncated', async () => {
    await rm(join(dir.root, '.journal-head.json'));
    await edit((lines) => joined(lines).slice(0, -20));
    expect((await runCommand(Init, ['c3', '-w', dir.root])).stderr).not.toContain('Warning');
  });

  it('is ok for chains of several copies that were merged', async () => {
    const ours = await dir.read('journal.jsonl');
    const other = await createWorkDir();
    expect((await runCommand(Init, ['c7=ctx', '-w', other.root])).code).toBe(0);
    await dir.write('journal.jsonl', (await other.read('journal.jsonl')) + ours);
    await other.dispose();
    expect(await judged()).toMatchObject({result: 'ok', observed: '6 entries in 2 chains'});
  });

  it.each<[string, (lines: string[]) => string, RegExp]>([
    [
      'a line was changed',
      ([first = '', ...rest]) => joined([first.replace('init', 'iniT'), ...rest]),
      /^line 1: entry/,
    ],
    ['a line is missing', ([, ...rest]) => joined(rest), /^line 1: /],
    ['the newest lines are missing', (lines) => joined(lines.slice(0, 2)), /is missing/],
    ['lines are swapped', ([a = '', b = '', ...rest]) => joined([b, a, ...rest]), /expected entry/],
    ['a line has an unknown schema', ([a = '', ...rest]) => joined([a, '{"kind":"note"}', ...rest]), /^line 2: /],
    ['a line is a merge marker', ([a = '', ...rest]) => joined([a, '<<<<<<< ours', ...rest]), /^line 2: /],
  ])('is an error if %s, and the fix starts a new chain', async (_, change, observed) => {
    await edit(change);
    const row = await judged();
    expect(row).toMatchObject({result: 'error', observed: expect.stringMatching(observed) as unknown});
    await fix(row.fix);
    expect(await judged()).toMatchObject({result: 'skipped'});
    await init('c9=ctx');
    expect(await judged()).toMatchObject({result: 'ok', observed: '2 entries in 1 chain'});
    // No content was discarded.
    expect((await readdir(dir.root)).filter((name) => name.startsWith('journal.'))).toHaveLength(3);
  });

  it('is an error if the journal is missing', async () => {
    await dir.remove('journal.jsonl');
    const row = await judged();
    expect(row.result).toBe('error');
    await fix(row.fix);
    await init('c9=ctx');
    expect(await judged()).toMatchObject({result: 'ok'});
  });

  it('is a warning if the last line is truncated, and the fix closes it', async () => {
    await edit((lines) => joined(lines) + '{"kind":"int');
    const row = await judged();
    expect(row).toMatchObject({result: 'warning', observed: expect.stringMatching(/^line 5 is truncated/) as unknown});
    await fix(row.fix);
    expect(await judged()).toMatchObject({result: 'ok'});
  });

  it('is a warning if a run was killed, with its command, time and action; and the fix closes it', async () => {
    await killedRun();
    const row = await judged();
    expect(row).toMatchObject({
      result: 'warning',
      observed: '"trust push" of 2026-05-01T10:00:00.000Z was interrupted during: create Secret cacerts (c1)',
    });
    await fix(row.fix);
    expect(await judged()).toMatchObject({result: 'ok'});
  });

  it('does not report a run in progress', async () => {
    await killedRun();
    const lock = await createWorkspace({root: dir.root, now: () => new Date()}).lock('trust push');
    expect(await judged()).toMatchObject({result: 'ok'});
    await lock.release();
    expect(await judged()).toMatchObject({result: 'warning'});
  });

  it('does not report changes of another copy without an outcome', async () => {
    const other = await createWorkDir();
    const {journal} = createWorkspace({root: other.root, now: () => new Date()});
    await journal.intent({command: 'up', action: 'x', title: 'x'});
    await edit((lines) => joined(lines));
    await dir.write('journal.jsonl', (await dir.read('journal.jsonl')) + (await other.read('journal.jsonl')));
    await other.dispose();
    expect(await judged()).toMatchObject({
      result: 'ok',
      observed: expect.stringMatching(/1 without an outcome/) as unknown,
    });
  });
});
