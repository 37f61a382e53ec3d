/** Runs operations: the lock around a changing one, and for each phase gather, plan, confirm, perform. */
import {MeshError} from '../domain/errors.js';
import {layout} from '../domain/mesh/layout.js';
import type {Deps, PassphraseSource} from './deps.js';
import type {Engine, Group, Operation, Outcome, Phase, PhaseRun, Plan, RunSettings} from './operation.js';
import type {Reporter} from './progress.js';
import {isRecorded, runGroups, skipLane} from './run.js';
import {createWhoAmI} from './who-am-i.js';

/** How often a phase looks and plans again when somebody else changed what it saw (409). */
const maxAttempts = 5;

/** What an operation is executed with. */
export interface ExecuteContext {
  readonly deps: Deps;
  readonly settings: RunSettings;
  readonly report: Reporter;
}

/**
 * Executes an operation. A changing one holds the work directory's lock for as long as it runs, and completes or drops
 * what an earlier, killed run left behind before it looks at anything.
 */
export async function execute<Request, Result>(
  operation: Operation<Request, Result>,
  request: Request,
  context: ExecuteContext,
): Promise<Result> {
  const {deps, settings, report} = context;
  if (!operation.changes || settings.dryRun !== 'none') {
    return operation.execute(request, createEngine(operation.command, context));
  }
  const lock = await deps.workspace.lock(operation.command);
  try {
    for (const message of await deps.workspace.recover()) report({type: 'note', message});
    return await operation.execute(request, createEngine(operation.command, {...context, deps: reasonFirst(context)}));
  } finally {
    await lock.release();
  }
}

/** The engine of one command's run. */
export function createEngine(command: string, context: ExecuteContext): Engine {
  const {deps, settings, report} = context;
  const agreed = new Set<string>();
  const whoAmI = createWhoAmI(deps.clusters);
  return {
    settings,
    async run<Facts, Decided extends Plan>(phase: Phase<Facts, Decided>): Promise<PhaseRun<Facts, Decided>> {
      const finished: Outcome[] = [];
      for (let attempt = 1; ; attempt += 1) {
        report({type: 'gathering', title: phase.title});
        const facts = await phase.gather(deps);
        deps.signal.throwIfAborted();
        const plan = phase.plan(facts);
        for (const warning of attempt === 1 ? plan.warnings : []) report({type: 'warning', warning});
        const {start, leave} = divide(plan, settings);
        if (settings.dryRun !== 'none' && attempt === 1 && !settings.yes) {
          for (const question of questionsOf(start)) {
            report({type: 'note', message: `Would ask: ${question} (needs --yes without a terminal)`});
          }
        }
        if (settings.dryRun === 'none' && start.length > 0) {
          await requireReason(start, context);
          await confirm(start, agreed, context);
          if (plan.passphrase !== undefined) await deps.passphrases.get(plan.passphrase);
        }
        const outcomes = [...(await runGroups(start, {command, whoAmI, deps, settings, report})), ...leave];
        if (attempt < maxAttempts && !deps.signal.aborted && outcomes.some(isConflict)) {
          finished.push(...outcomes.filter((outcome) => outcome.status === 'done'));
          continue;
        }
        return {facts, plan, outcomes: [...finished, ...outcomes]};
      }
    },
  };
}

/** The groups to run, and the outcomes of the lanes that blockers keep from running. */
function divide(plan: Plan, settings: RunSettings): {start: readonly Group[]; leave: readonly Outcome[]} {
  if (plan.blockers.length === 0) return {start: plan.groups, leave: []};
  const blocked = new Set(plan.blockers.map((blocker) => blocker.cluster));
  const others = plan.groups
    .flatMap(({lanes}) => lanes)
    .filter(({cluster}) => cluster !== undefined && !blocked.has(cluster));
  // A blocker that names no cluster is about the whole plan; one that does spares the others only with --keep-going.
  // Where no other cluster is left, what was said of the refused ones is not declared either.
  const nothing = blocked.has(undefined) || !settings.keepGoing || others.length === 0;
  const isLeft = (cluster: string | undefined): boolean => nothing || blocked.has(cluster);
  return {
    start: plan.groups
      .map((group) => ({...group, lanes: group.lanes.filter((lane) => !isLeft(lane.cluster))}))
      .filter((group) => group.lanes.length > 0),
    leave: plan.groups.flatMap((group) => group.lanes.filter((lane) => isLeft(lane.cluster))).flatMap(skipLane),
  };
}

/**
 * Holds a change to `audit.reasonRequired` of mesh.yaml, before anybody is asked anything. Throws `REASON_NEEDED`, and
 * `MESH_YAML_INVALID`: a file that cannot be read is no way around it.
 */
async function requireReason(groups: readonly Group[], context: ExecuteContext): Promise<void> {
  const actions = groups.flatMap(({lanes}) => lanes.flatMap((lane) => lane.actions));
  if (actions.some(isRecorded)) await reasonGiven(context);
}

/**
 * Nobody types a passphrase for a change that is then refused for its missing reason: what a phase asks for while it
 * still looks is held to the same rule.
 */
function reasonFirst(context: ExecuteContext): Deps {
  const guard = (source: PassphraseSource): PassphraseSource => ({
    available: source.available,
    get: async (purpose) => {
      await reasonGiven(context);
      return source.get(purpose);
    },
  });
  const {deps} = context;
  return {...deps, passphrases: guard(deps.passphrases), newPassphrases: guard(deps.newPassphrases)};
}

async function reasonGiven({deps, settings}: ExecuteContext): Promise<void> {
  if (settings.reason !== undefined) return;
  const text = await deps.workspace.readText(layout.meshYaml);
  if (text === undefined) return;
  const {parseMeshFile} = await import('../domain/mesh/parse.js');
  if (parseMeshFile(text).audit?.reasonRequired !== true) return;
  throw new MeshError('REASON_NEEDED', `${layout.meshYaml} asks for a reason for each change (audit.reasonRequired)`, {
    hints: [
      'say it with --reason "…" or KUBECTL_MESH_REASON: it is recorded in the journal',
      'see first what would change: --dry-run',
    ],
  });
}

/**
 * Asks once for everything that replaces or deletes (docs/architecture.md). Without a terminal `--yes` must have been said.
 * Throws `CONFIRMATION_NEEDED`.
 */
async function confirm(groups: readonly Group[], agreed: Set<string>, context: ExecuteContext): Promise<void> {
  const {deps, settings, report} = context;
  const questions = questionsOf(groups).filter((question) => !agreed.has(question));
  if (settings.yes || questions.length === 0) return;
  const list = questions.join('; ');
  if (!deps.terminal.interactive) {
    throw new MeshError('CONFIRMATION_NEEDED', `This must be agreed to, and there is no terminal to ask on: ${list}`, {
      hints: ['See what would change with --dry-run, then agree with --yes (-y)'],
    });
  }
  report({type: 'planned', groups});
  if (!(await deps.terminal.confirm(`${list}. Go on?`))) {
    throw new MeshError('CONFIRMATION_NEEDED', `Not agreed to: ${list}`, {hints: ['Nothing was changed']});
  }
  for (const question of questions) agreed.add(question);
}

/** What must be agreed to, in the order it will be done: "cluster1: replace Secret istio-system/cacerts". */
function questionsOf(groups: readonly Group[]): readonly string[] {
  return groups
    .flatMap((group) => group.lanes.flatMap((lane) => lane.actions))
    .flatMap(({confirm: what, cluster}) =>
      what === undefined ? [] : [cluster === undefined ? what : `${cluster}: ${what}`],
    );
}

function isConflict(outcome: Outcome): boolean {
  return outcome.error?.code === 'CONFLICT';
}
