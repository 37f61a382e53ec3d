import {describe, expect, it} from 'vitest';
import {MeshError, type ErrorCode} from '../../src/domain/errors.js';
import {Sensitive} from '../../src/domain/sensitive.js';
import type {Action} from '../../src/engine/action.js';
import {createEngine, execute} from '../../src/engine/engine.js';
import type {Group, Outcome, Plan, RunSettings} from '../../src/engine/operation.js';
import {outcomesOf} from '../../src/engine/report.js';
import {fakeDeps, type Log} from './fake-deps.js';

const settings: RunSettings = {dryRun: 'none', yes: false, concurrency: 2, keepGoing: false};
const write = (cluster: string, confirm?: string): Action => ({
  kind: 'write-files',
  id: `${cluster}/file`,
  cluster,
  title: 'write file',
  files: [{path: `${cluster}/file`, content: 'x'}],
  ...(confirm !== undefined && {confirm}),
});
const group = (clusters: string[], options: Partial<Group> = {}): Group => ({
  lanes: clusters.map((cluster) => ({key: cluster, cluster, title: cluster, actions: [write(cluster)]})),
  onFailure: 'stop',
  ...options,
});
const plan = (groups: Group[], rest: Partial<Plan> = {}): Plan => ({groups, blockers: [], warnings: [], ...rest});
const statuses = (outcomes: readonly Outcome[]) => Object.fromEntries(outcomes.map((one) => [one.id, one.status]));
const failFor = (cluster: string, code: ErrorCode) => (file: {path: string}) => {
  if (file.path.startsWith(cluster)) throw new MeshError(code, 'no');
};

async function run(thePlan: Plan, options: Parameters<typeof fakeDeps>[1] = {}, change: Partial<RunSettings> = {}) {
  const log: Log = [];
  const engine = createEngine('test', {
    deps: fakeDeps(log, options),
    settings: {...settings, ...change},
    report: () => undefined,
  });
  const outcome = await engine
    .run({title: 'test', gather: () => Promise.resolve(undefined), plan: () => thePlan})
    .catch((error: unknown) => error as MeshError);
  return {log, outcome, statuses: outcome instanceof Error ? {} : statuses(outcome.outcomes)};
}

describe('a phase', () => {
  it('journals the intent before the effect and the outcome after it', async () => {
    const {log, statuses: done} = await run(plan([group(['a'])]));
    expect(log).toEqual(['intent a/file', 'write a/file', 'outcome a/file done']);
    expect(done).toEqual({'a/file': 'done'});
  });

  it("returns its plan's decisions and the typed results of its actions", async () => {
    const engine = createEngine('test', {deps: fakeDeps([]), settings, report: () => undefined});
    const result = await engine.run({
      title: 'test',
      gather: () => Promise.resolve(['a']),
      plan: (names) => ({...plan([group(names)]), decided: names.map((name) => `write ${name}`)}),
    });
    expect(result.plan.decided).toEqual(['write a']);
    expect(outcomesOf(result, 'write-files').map((one) => one.result?.files)).toEqual([['a/file']]);
  });

  it('does not start an effect if its intent cannot be journalled', async () => {
    const {log, outcome} = await run(plan([group(['a'])]), {journalFails: 'intent'});
    expect(log).toEqual([]);
    expect(outcome).toMatchObject({outcomes: [{status: 'failed', error: {code: 'DISK_FULL'}}]});
  });

  it('does not record a successful effect as failed if journalling its outcome fails', async () => {
    const {log, outcome} = await run(plan([group(['a', 'b'], {concurrency: 1})]), {journalFails: 'outcome'});
    expect(log).toEqual(['intent a/file', 'write a/file', 'outcome a/file done']);
    const failed = {status: 'failed', error: {code: 'DISK_FULL'}, result: {files: ['a/file']}};
    expect(outcome).toMatchObject({outcomes: [failed, {status: 'skipped'}]});
  });

  it('starts no further lane or group after a failure', async () => {
    const {statuses: done} = await run(plan([group(['a', 'b', 'c'], {concurrency: 1}), group(['d'])]), {
      onWrite: failFor('b', 'REJECTED'),
    });
    expect(done).toEqual({'a/file': 'done', 'b/file': 'failed', 'c/file': 'skipped', 'd/file': 'skipped'});
  });

  it('continues with --keep-going, but not after a group that always stops', async () => {
    const groups = [group(['a', 'b'], {concurrency: 1}), group(['c'])];
    const failing = {onWrite: failFor('a', 'REJECTED')};
    expect((await run(plan(groups), failing, {keepGoing: true})).statuses).toEqual({
      'a/file': 'failed',
      'b/file': 'done',
      'c/file': 'done',
    });
    const strict = [group(['a', 'b'], {concurrency: 1, onFailure: 'always-stop'}), group(['c'])];
    expect((await run(plan(strict), failing, {keepGoing: true})).statuses).toEqual({
      'a/file': 'failed',
      'b/file': 'skipped',
      'c/file': 'skipped',
    });
  });

  it('skips the rest of a lane after its first failure', async () => {
    const lane = {key: 'a', cluster: 'a', title: 'a', actions: [write('a'), {...write('a'), id: 'a/second'}]};
    const {statuses: done} = await run(plan([group([], {lanes: [lane]})]), {onWrite: failFor('a', 'REJECTED')});
    expect(done).toEqual({'a/file': 'failed', 'a/second': 'skipped'});
  });

  it('performs nothing if a cluster is blocked, and only the other clusters with --keep-going', async () => {
    const blocked = plan([group(['a', 'b'])], {
      blockers: [{cluster: 'a', error: {code: 'UID_MISMATCH', message: 'no', hints: []}}],
    });
    expect((await run(blocked)).statuses).toEqual({'a/file': 'skipped', 'b/file': 'skipped'});
    expect((await run(blocked, {}, {keepGoing: true})).statuses).toEqual({'a/file': 'skipped', 'b/file': 'done'});
  });

  it('declares nothing if every cluster is blocked, even with --keep-going', async () => {
    const declaring = group([], {lanes: [{key: 'declare', title: 'declare', actions: [write('declare')]}]});
    const groups = [declaring, group(['a', 'b'])];
    const errors = ['a', 'b'].map((cluster) => ({
      cluster,
      error: {code: 'CONTEXT_MISSING', message: 'no', hints: []} as const,
    }));
    const some = await run(plan(groups, {blockers: errors.slice(0, 1)}), {}, {keepGoing: true});
    expect(some.statuses).toEqual({'declare/file': 'done', 'a/file': 'skipped', 'b/file': 'done'});
    const all = await run(plan(groups, {blockers: errors}), {}, {keepGoing: true});
    expect(all.statuses).toEqual({'declare/file': 'skipped', 'a/file': 'skipped', 'b/file': 'skipped'});
  });

  it('performs nothing in a client dry run, without prompts or journal entries', async () => {
    const lane = {key: 'a', title: 'a', actions: [write('a', 'replace a key')]};
    const {log, statuses: done} = await run(plan([group([], {lanes: [lane]})]), {}, {dryRun: 'client'});
    expect(log).toEqual([]);
    expect(done).toEqual({'a/file': 'skipped'});
  });

  it('reports an interruption as cancelled and starts nothing more', async () => {
    const controller = new AbortController();
    const onWrite = () => {
      controller.abort(new MeshError('INTERRUPTED', 'stop'));
      controller.signal.throwIfAborted();
    };
    const {statuses: done} = await run(plan([group(['a', 'b'], {concurrency: 1})]), {
      signal: controller.signal,
      onWrite,
    });
    expect(done).toEqual({'a/file': 'cancelled', 'b/file': 'skipped'});
  });

  it('is interrupted even if the running action could finish', async () => {
    const controller = new AbortController();
    const onWrite = () => {
      controller.abort(new MeshError('INTERRUPTED', 'stop'));
    };
    const {outcome} = await run(plan([group(['a']), group(['b']), group(['c'])]), {signal: controller.signal, onWrite});
    expect(outcome).toMatchObject({
      outcomes: [{status: 'done'}, {status: 'cancelled', error: {code: 'INTERRUPTED'}}, {status: 'skipped'}],
    });
  });
});

describe('a dry run', () => {
  it.each([
    ['client', false, true],
    ['server', false, true],
    ['client', true, false],
    ['none', true, false],
  ] as const)('of %s, with --yes: %s, says what it would ask: %s', async (dryRun, yes, says) => {
    const notes: string[] = [];
    const lane = {key: 'a', cluster: 'a', title: 'a', actions: [write('a', 'replace the file')]};
    const engine = createEngine('test', {
      deps: fakeDeps([], {}),
      settings: {...settings, dryRun, yes},
      report: (event) => {
        if (event.type === 'note') notes.push(event.message);
      },
    });
    const thePlan = plan([group([], {lanes: [lane]}), group(['b'])]);
    await engine.run({title: 'test', gather: () => Promise.resolve(undefined), plan: () => thePlan});
    expect(notes).toHaveLength(says ? 1 : 0);
    for (const note of notes) expect(note).toMatch(/--yes.*a: replace the file/);
  });
});

describe('a conflict', () => {
  it('makes the phase gather and plan again, and keeps the finished outcomes', async () => {
    const log: Log = [];
    let gathered = 0;
    const deps = fakeDeps(log, {
      onWrite: (file) => {
        if (file.path === 'b/file' && gathered === 1) throw new MeshError('CONFLICT', 'changed meanwhile');
      },
    });
    const engine = createEngine('test', {deps, settings, report: () => undefined});
    const {outcomes} = await engine.run({
      title: 'test',
      gather: () => Promise.resolve((gathered += 1)),
      plan: (round) => plan([group(round === 1 ? ['a', 'b'] : ['b'])]),
    });
    expect(gathered).toBe(2);
    expect(statuses(outcomes)).toEqual({'a/file': 'done', 'b/file': 'done'});
  });

  it('fails after five attempts', async () => {
    let gathered = 0;
    const deps = fakeDeps([], {onWrite: failFor('a', 'CONFLICT')});
    const engine = createEngine('test', {deps, settings, report: () => undefined});
    const {outcomes} = await engine.run({
      title: 'test',
      gather: () => Promise.resolve((gathered += 1)),
      plan: () => plan([group(['a'])]),
    });
    expect(gathered).toBe(5);
    expect(outcomes).toMatchObject([{status: 'failed', error: {code: 'CONFLICT'}}]);
  });
});

describe('confirmation', () => {
  const asking = plan([group([], {lanes: [{key: 'a', title: 'a', actions: [write('a', 'replace the key of a')]}]})]);

  it('is refused without a terminal and without --yes', async () => {
    const {outcome, log} = await run(asking);
    expect(outcome).toMatchObject({code: 'CONFIRMATION_NEEDED', class: 'refused'});
    expect(log).toEqual([]);
  });

  it('is skipped with --yes', async () => {
    expect((await run(asking, {}, {yes: true})).log).toEqual(['intent a/file', 'write a/file', 'outcome a/file done']);
  });

  it('prompts once on a terminal, and stops if the user declines', async () => {
    const {outcome, log} = await run(asking, {interactive: true, answer: false});
    expect(outcome).toMatchObject({code: 'CONFIRMATION_NEEDED'});
    expect(log).toEqual(['prompt a: replace the key of a. Continue?']);
    expect((await run(asking, {interactive: true, answer: true})).statuses).toEqual({'a/file': 'done'});
  });
});

describe('a preview', () => {
  /** Runs phases with one engine on a terminal, and returns the log, the prompts and the warnings. */
  async function runPhases(
    phases: readonly {readonly plan: Plan; readonly isPreview?: true; readonly isConfirmed?: true}[],
    change: Partial<RunSettings> = {},
  ) {
    const log: Log = [];
    const prompts: string[] = [];
    const warnings: string[] = [];
    const deps = fakeDeps(log, {interactive: true, answer: true});
    const engine = createEngine('test', {
      deps: {
        ...deps,
        terminal: {
          ...deps.terminal,
          confirm: (question) => {
            prompts.push(question);
            return deps.terminal.confirm(question);
          },
        },
      },
      settings: {...settings, ...change},
      report: (event) => {
        if (event.type === 'warning') warnings.push(JSON.stringify(event.warning.message));
      },
    });
    const runs = [];
    for (const {plan: thePlan, ...phase} of phases) {
      runs.push(
        await engine.run({...phase, title: 'test', gather: () => Promise.resolve(undefined), plan: () => thePlan}),
      );
    }
    return {log, prompts, warnings, statuses: runs.map(({outcomes}) => statuses(outcomes))};
  }
  const replacing = (cluster: string, what: string): Group => ({
    lanes: [{key: cluster, cluster, title: cluster, actions: [write(cluster, what)]}],
    onFailure: 'stop',
  });

  it('is confirmed as a whole and not performed; later phases prompt only for what differs', async () => {
    const whole = plan([replacing('a', 'replace a'), replacing('b', 'replace b')]);
    const {
      log,
      prompts,
      statuses: done,
    } = await runPhases([
      {plan: whole, isPreview: true},
      {plan: plan([replacing('a', 'replace a')])},
      {plan: plan([replacing('b', 'replace another b')])},
    ]);
    expect(prompts).toEqual(['a: replace a; b: replace b. Continue?', 'b: replace another b. Continue?']);
    expect(done).toEqual([{'a/file': 'skipped', 'b/file': 'skipped'}, {'a/file': 'done'}, {'b/file': 'done'}]);
    expect(log.filter((line) => line.startsWith('write'))).toEqual(['write a/file', 'write b/file']);
  });

  it('names what a blocker prevents like any plan', async () => {
    const error = {code: 'UNREACHABLE', message: 'no', hints: []} as const;
    const blocked = plan([group(['a', 'b'])], {blockers: [{cluster: 'a', error}]});
    const {statuses: done, log} = await runPhases([{plan: blocked, isPreview: true}], {keepGoing: true});
    expect([done, log]).toEqual([[{'a/file': 'skipped', 'b/file': 'skipped'}], []]);
  });

  it('precedes phases that repeat its warnings, which are reported once', async () => {
    const warned = plan([group(['a'])], {warnings: [{message: 'careful'}]});
    const {warnings} = await runPhases([{plan: warned, isPreview: true}, {plan: warned}]);
    expect(warnings).toEqual(['"careful"']);
  });

  it('is not needed where a flag requests the change', async () => {
    const {prompts, statuses: done} = await runPhases([{plan: plan([replacing('a', 'restore a')]), isConfirmed: true}]);
    expect([prompts, done]).toEqual([[], [{'a/file': 'done'}]]);
  });
});

describe('the passphrase', () => {
  const needing = plan([group(['a'])], {passphrase: {purpose: 'new', path: 'root-key.pem'}});

  it('is required before the first action', async () => {
    const log: Log = [];
    const deps = {
      ...fakeDeps(log),
      passphrases: {
        available: true,
        get: (purpose: string) => {
          log.push(`passphrase ${purpose}`);
          return Promise.resolve(new Sensitive('x'));
        },
        retry: () => false,
      },
    };
    const engine = createEngine('test', {deps, settings, report: () => undefined});
    await engine.run({title: 'test', gather: () => Promise.resolve(undefined), plan: () => needing});
    expect(log[0]).toBe('passphrase new');
    expect(log).toHaveLength(4);
  });

  it('opens the signer before the first action, so that a wrong one changes nothing', async () => {
    const log: Log = [];
    const fake = fakeDeps(log);
    const wrong = new MeshError('WRONG_PASSPHRASE', 'wrong');
    const deps = {...fake, signers: {...fake.signers, issuer: () => Promise.reject(wrong)}};
    const opening = plan([group(['a'])], {
      passphrase: {purpose: 'existing', path: 'root-key.pem', opens: {type: 'local'}},
    });
    const engine = createEngine('test', {deps, settings, report: () => undefined});
    const run = engine.run({title: 'test', gather: () => Promise.resolve(undefined), plan: () => opening});
    await expect(run).rejects.toBe(wrong);
    expect(log).toEqual([]);
  });

  it('is not required in a dry run, nor if a blocker prevents all actions', async () => {
    const blocked = {...needing, blockers: [{error: {code: 'USAGE' as const, message: 'no', hints: []}}]};
    expect((await run(needing, {}, {dryRun: 'client'})).statuses).toEqual({'a/file': 'skipped'});
    expect((await run(blocked)).statuses).toEqual({'a/file': 'skipped'});
  });
});

describe('execute', () => {
  const operation = (changes: boolean) => ({
    command: 'test',
    changes,
    execute: () => Promise.reject(new MeshError('USAGE', 'no')),
    conclude: () => [],
  });

  it.each([
    [true, 'none', ['lock', 'recover', 'release']],
    [true, 'client', []],
    [false, 'none', []],
  ] as const)('changes: %s, dry run: %s: %j', async (changes, dryRun, expected) => {
    const log: Log = [];
    const context = {deps: fakeDeps(log), settings: {...settings, dryRun}, report: () => undefined};
    await expect(execute(operation(changes), undefined, context)).rejects.toMatchObject({code: 'USAGE'});
    expect(log).toEqual(expected);
  });
});
