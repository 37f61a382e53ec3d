/** `verify`: gathers facts, judges them, and with `--wait` follows until all is well. */
import {isDeepStrictEqual} from 'node:util';
import {type Check, requiredFacts, type Severity} from '../../domain/checks/check.js';
import {isLast, type Evidence} from '../../domain/facts/facts.js';
import {judge} from '../../domain/checks/judge.js';
import type {Limits} from '../../domain/facts/limits.js';
import {terminalReason} from '../../domain/checks/wait-policy.js';
import {topologyFacts, topologyOf, type MeshTopology} from '../../domain/checks/topology.js';
import {checks} from '../../domain/checks/registry.js';
import {codeOfUnknown, isFailing, isGreen, type Report} from '../../domain/checks/report.js';
import {selectChecks, type Selection} from '../../domain/checks/select.js';
import {versionNotes} from '../../domain/checks/version-notes.js';
import {asMeshError, problem, reportError, type ErrorReport} from '../../domain/errors.js';
import type {Deps} from '../../engine/deps.js';
import {
  emptyPlan,
  type Conclusion,
  type Engine,
  type Operation,
  type Phase,
  type Warning,
} from '../../engine/operation.js';
import {loadMeshOrEmpty, type LoadedMesh, type MeshRequest} from '../shared/load-mesh.js';
import {gatherEvidence} from '../../observe/evidence.js';

/** What `verify` is asked. */
export interface VerifyRequest {
  readonly mesh: MeshRequest;
  readonly selection: Selection;
  readonly limits: Limits;
  /**
   * Look again until nothing at or above `failOn` is left and nothing is unknown, but no longer than these milliseconds.
   * Absent: look once.
   */
  readonly waitMs?: number;
  readonly failOn: Severity;
  /** Look at what the picture of the mesh shows, even where no selected check needs it. */
  readonly wholePicture?: boolean;
}

/** What `verify` answers. */
export interface VerifyResult extends Report {
  /** What the mesh looks like, as far as the checks that were selected (or the picture that was asked for) looked. */
  readonly mesh: MeshTopology;
  /** What to know of the versions that were judged by. They change no verdict. */
  readonly warnings: readonly Warning[];
  /** With `--wait`: the time was over before all was well. The rows are the last that were seen. */
  readonly error?: ErrorReport;
}

interface Facts {
  readonly evidence: Evidence;
  readonly report: Report & Pick<VerifyResult, 'mesh' | 'warnings'>;
}

/** `verify`: a finding's severity decides the exit code (`failOn`), not the answer. Also a step of `up`. */
export const verifyMesh: Operation<VerifyRequest, VerifyResult> = {
  command: 'verify',
  changes: false,
  execute: runVerify,
  conclude: concludeVerify,
};

/** Runs verify, once or until green. */
async function runVerify(request: VerifyRequest, engine: Engine): Promise<VerifyResult> {
  const selected = selectChecks(checks, request.selection);
  const {waitMs, failOn, limits} = request;
  const {concurrency, dryRun} = engine.settings;
  const extraFacts = request.wholePicture === true ? topologyFacts : [];
  const report = (evidence: Evidence): Facts => {
    const judged = judge(selected, evidence);
    const mesh = topologyOf(evidence, judged.checks);
    return {evidence, report: {...judged, mesh, warnings: versionNotes(evidence)}};
  };
  const looker: Looker = {
    selected,
    failOn,
    load: (deps) => loadMeshOrEmpty(deps, request.mesh),
    async look(deps, {mesh, clusters}, again) {
      const wanted = again ? {checks: again.checks, extraFacts: []} : {checks: selected, extraFacts};
      const seen = await gatherEvidence(deps, {mesh, clusters, limits, concurrency, ...wanted});
      return report(again ? replaceFacts(again.last.evidence, seen) : seen);
    },
  };
  const look = async (deps: Deps): Promise<Facts> => looker.look(deps, await looker.load(deps));
  const first = (await engine.run(phase('verify', look, ({report: {warnings}}) => warnings))).facts;
  if (
    waitMs === undefined ||
    // What a dry run leaves as it is does not become green by waiting.
    dryRun !== 'none' ||
    isGreen(first.report.checks, failOn) ||
    terminalReason(first.report.checks, selected, failOn)
  ) {
    return first.report;
  }
  return wait(looker, waitMs, engine, first);
}

type Loaded = Pick<LoadedMesh, 'mesh' | 'clusters'>;

/** How the mesh is looked at. */
interface Looker {
  readonly selected: readonly Check[];
  readonly failOn: Severity;
  load(deps: Deps): Promise<Loaded>;
  /** Reads what the selected checks need; `again`: only what some of them need, the rest is taken from the last pass. */
  look(deps: Deps, loaded: Loaded, again?: {readonly last: Facts; readonly checks: readonly Check[]}): Promise<Facts>;
}

/** Pauses before each pass of `--wait`; the last one is repeated. Milliseconds. */
const pausesMs = [1000, 2000, 4000, 5000] as const;

async function wait(looker: Looker, waitMs: number, engine: Engine, first: Facts): Promise<VerifyResult> {
  const {selected, failOn} = looker;
  const end = first.evidence.now.getTime() + waitMs;
  let last = first;
  let wasRefused = false;
  try {
    for (let pass = 0; ; pass += 1) {
      const before = last;
      const poll = async (deps: Deps): Promise<Facts | undefined> => {
        const leftMs = end - deps.now().getTime();
        await deps.sleep(Math.max(0, Math.min(leftMs, pausesMs[pass] ?? pausesMs[3])));
        return deps.now().getTime() < end ? lookAgain(looker, deps, before) : undefined;
      };
      const known = new Set(before.report.warnings.map(({message}) => message));
      const news = (seen: Facts | undefined): readonly Warning[] =>
        (seen?.report.warnings ?? []).filter(({message}) => !known.has(message));
      const {facts} = await engine.run(phase(`wait for ${whatIsMissing(before.report, failOn)}`, poll, news));
      if (!facts) {
        const why = `not all was well after ${String(Math.round(waitMs / 1000))} s`;
        const hints = ['Wait longer with --timeout', 'The findings above say what is missing'];
        return {...before.report, error: problem('TIMEOUT', why, ...hints)};
      }
      last = facts;
      const hopeless = terminalReason(last.report.checks, selected, failOn);
      if (isGreen(last.report.checks, failOn) || hopeless === 'finding' || hopeless === 'time') return last.report;
      // An API server that has just started refuses for a moment what it will allow: a refusal has to be seen twice.
      if (hopeless === 'refusal' && wasRefused) return last.report;
      wasRefused = hopeless === 'refusal';
    }
  } catch (thrown) {
    const error = asMeshError(thrown);
    if (error.class !== 'timeout') throw thrown;
    return {...last.report, error: reportError(error)};
  }
}

/**
 * One pass: reads again what the checks that are not green need (the table of facts says what), and everything once they
 * are green, since what was seen before may have changed meanwhile. Also everything where mesh.yaml has changed, or where a
 * check that is not green needs a fact that sums up all requests.
 */
async function lookAgain(looker: Looker, deps: Deps, last: Facts): Promise<Facts> {
  const loaded = await looker.load(deps);
  const {mesh, clusters} = last.evidence;
  const bad = new Set(last.report.checks.filter((row) => !isGreen([row], looker.failOn)).map(({id}) => id));
  const open = looker.selected.filter(({id}) => bad.has(id));
  const isSameMesh = isDeepStrictEqual([mesh, clusters.map(({cluster}) => cluster)], [loaded.mesh, loaded.clusters]);
  if (!isSameMesh || [...requiredFacts(open)].some(isLast)) return looker.look(deps, loaded);
  const seen = await looker.look(deps, loaded, {last, checks: open});
  return isGreen(seen.report.checks, looker.failOn) ? looker.look(deps, loaded) : seen;
}

/** The last pass's facts, with those that were read again. Both are of the same clusters in the same order. */
function replaceFacts(last: Evidence, seen: Evidence): Evidence {
  return {
    ...seen,
    facts: {...last.facts, ...seen.facts},
    clusters: seen.clusters.map(({cluster, facts}, index) => ({
      cluster,
      facts: {...last.clusters[index]?.facts, ...facts},
    })),
  };
}

/** What a person who watches wants to read: `MESH402 cluster1 and 2 more`. */
function whatIsMissing({checks: rows}: Report, failOn: Severity): string {
  const missing = rows.filter((row) => !isGreen([row], failOn));
  const [first = missing[0]] = missing.filter(({impliedBy}) => impliedBy === undefined);
  const name = [first?.id, first?.cluster].filter((word) => word !== undefined).join(' ');
  return missing.length > 1 ? `${name} and ${String(missing.length - 1)} more` : name;
}

/** Verify never plans anything: it looks, and warns of what it saw. */
function phase<T>(title: string, gather: Phase<T>['gather'], warnings: (seen: T) => readonly Warning[]): Phase<T> {
  return {title, gather, plan: (seen) => ({...emptyPlan, warnings: warnings(seen)})};
}

/** What the rows mean for the exit code. */
function concludeVerify(result: VerifyResult, {failOn}: VerifyRequest): readonly Conclusion[] {
  return [
    ...(result.error ? [result.error.code] : []),
    ...result.checks.flatMap((row): readonly Conclusion[] => {
      if (row.result === 'unknown') return [codeOfUnknown(row)];
      if (!isFailing(row, failOn)) return [];
      // Everything else hangs on that file: invalid input, as every other command says.
      return row.id === 'MESH101' ? ['findings', 'MESH_YAML_INVALID'] : ['findings'];
    }),
  ];
}
