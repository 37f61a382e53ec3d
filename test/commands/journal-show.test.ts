import {appendFile, rm, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import JournalShow from '../../src/commands/journal/show.js';
import JournalVerify from '../../src/commands/journal/verify.js';
import {entryLine, seal, type ChainHead} from '../../src/domain/journal/chain.js';
import {type JournalRecord, entryId} from '../../src/domain/journal/entry.js';
import type {ShowResult} from '../../src/operations/journal/show.js';
import {createWorkspace} from '../../src/workspace/create.js';
import {answerOf, runCommand, type CommandRun} from '../helpers/run-command.js';
import {createWorkDir, type TestWorkDir} from '../helpers/work-dir.js';

let dir: TestWorkDir;
let heads: Map<string, ChainHead>;

beforeEach(async () => {
  dir = await createWorkDir();
  heads = new Map();
});
afterEach(() => dir.dispose());

/** Appends an entry to a chain, as a run of that copy does; returns its id. */
async function write(chain: string, record: Partial<JournalRecord>): Promise<string> {
  const whole: JournalRecord = {
    kind: 'intent',
    time: '2026-05-01T10:00:00.000Z',
    user: 'alice',
    host: 'laptop/1/2',
    pid: 7,
    command: 'trust push',
    action: 'c1/cacerts',
    cluster: 'c1',
    title: 'create Secret istio-system/cacerts',
    ...record,
  };
  const entry = seal(whole, chain, heads.get(chain));
  heads.set(chain, entry);
  await appendFile(join(dir.root, 'journal.jsonl'), entryLine(entry));
  return entryId(entry);
}

/** A change with its outcome. */
async function change(chain: string, time: string, more: Partial<JournalRecord> = {}): Promise<void> {
  const {status = 'done', error, detail, ...intent} = more;
  const id = await write(chain, {time, ...intent});
  const outcome = {
    ...intent,
    kind: 'outcome',
    time,
    intent: id,
    status,
    ...(error && {error}),
    ...(detail && {detail}),
  };
  await write(chain, {...outcome, title: undefined} as unknown as JournalRecord);
}

const show = (...argv: string[]): Promise<CommandRun> => runCommand(JournalShow, [...argv, '-w', dir.root]);

async function shown(...argv: string[]): Promise<ShowResult> {
  const run = await show(...argv, '-o', 'json');
  expect(run.code).toBe(0);
  return answerOf(run) as ShowResult;
}

const times = ({changes}: ShowResult): readonly string[] => changes.map(({time}) => time.slice(8, 10));
const day = (at: number): string => `2026-05-${String(at).padStart(2, '0')}T10:00:00.000Z`;

describe('journal show', () => {
  it('prints one line per change with its outcome: when, who, what, where, status', async () => {
    await change('a', day(1));
    await change('a', day(2), {status: 'failed', error: {code: 'FORBIDDEN', message: 'no'}});
    const run = await show();
    expect(run.stdout).toBe(
      [
        'TIME                  USER          COMMAND     CLUSTER  ACTION                              OUTCOME',
        '2026-05-01T10:00:00Z  alice@laptop  trust push  c1       create Secret istio-system/cacerts  done',
        '2026-05-02T10:00:00Z  alice@laptop  trust push  c1       create Secret istio-system/cacerts  failed (FORBIDDEN)',
        '',
      ].join('\n'),
    );
    expect((await show('-o', 'wide')).stdout).toContain('failed (FORBIDDEN: no)');
  });

  it('prints the reason, if recorded, and the user name on the API server', async () => {
    await change('a', day(1));
    await change('a', day(2), {
      reason: 'CHG-1 renewal',
      identity: {username: 'system:serviceaccount:ci:mesh', uid: 'u1'},
    });
    const text = (await show()).stdout.split('\n');
    expect(text[0]).toMatch(/REASON$/);
    expect([text[1], text[2]]).toEqual([expect.stringMatching(/ -$/), expect.stringMatching(/CHG-1 renewal$/)]);
    expect((await show('-o', 'wide')).stdout).toContain('system:serviceaccount:ci:mesh');
    expect((await shown()).changes[1]).toMatchObject({
      reason: 'CHG-1 renewal',
      identity: {username: 'system:serviceaccount:ci:mesh', uid: 'u1'},
    });
  });

  it('merges the chains of several copies by time, newest last', async () => {
    await change('a', day(1));
    await change('a', day(4));
    await change('b', day(2));
    await change('b', day(3));
    expect(times(await shown())).toEqual(['01', '02', '03', '04']);
  });

  it('shows a change without outcome as open, and as unknown once another run has closed it', async () => {
    const id = await write('a', {time: day(1)});
    expect((await shown()).changes).toMatchObject([{id, status: 'open'}]);
    await write('a', {kind: 'outcome', time: day(2), intent: id, status: 'unknown'});
    expect((await shown()).changes).toMatchObject([{id, status: 'unknown', ended: day(2)}]);
  });

  it('shows a change whose run holds the lock as in progress', async () => {
    const workspace = createWorkspace({root: dir.root, now: () => new Date()});
    const held = await workspace.lock('trust push');
    await workspace.journal.intent({
      command: 'trust push',
      action: 'c1/cacerts',
      cluster: 'c1',
      title: 'create Secret',
    });
    expect((await shown('--status', 'under-way')).changes).toHaveLength(1);
    await held.release();
    expect((await shown()).changes).toMatchObject([{status: 'open'}]);
  });

  it('reports that there are no changes yet', async () => {
    const run = await show();
    expect([run.code, run.stdout]).toEqual([0, expect.stringMatching(/^The journal has no entries/)]);
  });

  describe('with filters', () => {
    beforeEach(async () => {
      await change('a', day(1));
      await change('a', day(2), {command: 'trust rollback', status: 'failed', error: {code: 'X', message: 'x'}});
      await change('a', day(3), {command: 'init', action: 'declare', cluster: undefined} as unknown as JournalRecord);
      await change('a', day(4), {cluster: 'c2', command: 'trust pushed'});
      await write('a', {time: day(5), command: 'install apply'});
    });

    it.each<[string[], string[]]>([
      [[], ['01', '02', '03', '04', '05']],
      [['c1'], ['01', '02', '05']],
      [
        ['c1', 'c2'],
        ['01', '02', '04', '05'],
      ],
      [
        ['--since', day(2), '--until', day(4)],
        ['02', '03'],
      ],
      [['--since', '2026-05-02T12:00:00+02:00', '--until', '2026-05-02T10:00:01Z'], ['02']],
      [
        ['--until', '1d'],
        ['01', '02', '03', '04', '05'],
      ],
      [['--since', '1d'], []],
      [['--command', 'trust push'], ['01']],
      [
        ['--command', ' trust  push ', '--command', 'init'],
        ['01', '03'],
      ],
      [
        ['--command', 'trust'],
        ['01', '02', '04'],
      ],
      [
        ['--status', 'failed', '--status', 'open'],
        ['02', '05'],
      ],
      [['c1', '--command', 'trust', '--status', 'failed'], ['02']],
    ])('%j', async (argv, days) => {
      const result = await shown(...argv);
      expect(times(result)).toEqual(days);
      expect(result.total).toBe(5);
    });

    it.each([
      [['c9']],
      [['--since', 'yesterday']],
      [['--since', '2026-05-01']],
      [['--since', '2026-02-30T00:00:00Z']],
      [['--since', '2026-05-01T10:00:00']],
      [['--since', '-1d']],
      [['--since', '0d']],
      [['--status', 'fine']],
      [['--since', day(3), '--until', day(2)]],
    ])('%j is a usage error', async (argv) => {
      expect((await show(...argv)).code).toBe(2);
    });

    it('accept a cluster that was removed from mesh.yaml, and one without changes', async () => {
      await dir.write(
        'mesh.yaml',
        'apiVersion: kubectl-mesh/v1alpha1\nkind: Mesh\nclusters:\n  - name: c7\n    context: x\n',
      );
      expect((await shown('c1')).changes).toHaveLength(3);
      expect((await shown('c7')).changes).toEqual([]);
      expect((await show('c7')).stdout).toMatch(/^No matching changes \(total: 5\)/);
    });
  });

  describe('with a damaged file', () => {
    it.each<[string, string, number]>([
      ['a truncated line', '{"kind":"int', 1],
      ['a line that is not an entry', 'merge <<<<<<< marker\n', 1],
      ['a line of zero bytes', '\u0000\u0000\u0000\n', 1],
      ['an entry with another schema', '{"kind":"intent","chain":"z","seq":0,"previous":"x","hash":"y"}\n', 2],
      [
        'an entry with fields of other types',
        '{"kind":"intent","chain":"z","seq":0,"previous":"x","hash":"y","time":5,"user":{"a":1},"command":[],"pid":"1","error":7}\n',
        2,
      ],
      [
        'an outcome without its intent',
        '{"kind":"outcome","chain":"z","seq":4,"previous":"x","hash":"y","intent":"z/3"}\n',
        2,
      ],
    ])('a line that is %s: the rest is printed, with a warning', async (_, line, changes) => {
      await change('a', day(1));
      await appendFile(join(dir.root, 'journal.jsonl'), line);
      const result = await shown();
      expect(result.changes).toHaveLength(changes);
      expect(result.warnings.length).toBeGreaterThan(0);
      const text = await show('-o', 'wide');
      expect([text.code, text.stdout.split('\n').length]).toEqual([0, changes + 2]);
      expect(text.stderr).toContain('journal.jsonl');
    });

    it('escapes control characters for the terminal', async () => {
      await change('a', day(1), {user: 'eve\u001b[2Jx', title: 'two\nlines', reason: '\u202egnp'});
      const {stdout} = await show();
      expect(stdout).not.toMatch(/[\u001b\u202e]/);
      expect(stdout.split('\n')).toHaveLength(3);
    });

    it('reports a line that a crash truncated and that was closed since', async () => {
      await change('a', day(1));
      await write('a', {kind: 'repair', detail: {torn: 'x'}});
      expect((await shown()).warnings).toHaveLength(1);
    });

    it('reports a file that cannot be read', async () => {
      await rm(join(dir.root, 'journal.jsonl'), {force: true});
      await dir.write('journal.jsonl/file', '');
      expect((await show()).code).toBe(2);
    });

    it('reports a file of any size that is not a journal', async () => {
      await change('a', day(1));
      await appendFile(join(dir.root, 'journal.jsonl'), 'garbage\n'.repeat(130_000));
      const run = await show();
      expect([run.code, run.stdout.split('\n').length]).toEqual([0, 3]);
      expect(run.stderr.split('\n').length).toBeLessThan(20);
      const verified = await runCommand(JournalVerify, ['--offline', '-w', dir.root]);
      expect([verified.code, verified.stdout.split('\n').length < 40]).toEqual([3, true]);
    });

    it('prints all of ten thousand lines', async () => {
      let text = '';
      let head: ChainHead | undefined;
      for (let at = 0; at < 10_000; at += 1) {
        const record: JournalRecord = {
          ...{kind: 'intent', time: day(1), user: 'u', host: 'h', pid: 1, command: 'up', action: String(at)},
          cluster: 'c1',
        };
        const entry = seal(record, 'a', head);
        head = entry;
        text += entryLine(entry);
      }
      await writeFile(join(dir.root, 'journal.jsonl'), text);
      expect((await shown()).changes).toHaveLength(10_000);
    });
  });
});
