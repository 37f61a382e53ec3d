/** `verify`: gathers facts and evaluates the checks; with `--wait`, repeats until all checks pass. */
import {isDeepStrictEqual} from 'node:util';
import {type Check, requiredFacts, type Severity} from '../../domain/checks/check.js';
import {summarizesOthers, type Evidence, type FactKey} from '../../domain/facts/facts.js';
import {judge} from '../../domain/checks/judge.js';
import type {Limits} from '../../domain/facts/limits.js';
import {terminalReason} from '../../domain/checks/wait-policy.js';
import {topologyFacts, topologyOf, type MeshTopology} from '../../domain/checks/topology.js';
import {checks} from '../../domain/checks/registry.js';
import {codeOfUnknown, isFailing, isPassing, type Report} from '../../domain/checks/report.js';
import {selectChecks, type Selection} from '../../domain/checks/select.js';
import {versionNotes} from '../../domain/checks/version-notes.js';
import {asMeshError, MeshError, problem, reportError, type ErrorReport} from '../../domain/errors.js';
import {formatDuration, plural} from '../../domain/format.js';
import {layout} from '../../domain/mesh/layout.js';
import type {Mesh} from '../../domain/mesh/mesh.js';
import {rootKeyPath} from '../../domain/mesh/signer.js';
import type {Deps} from '../../engine/deps.js';
import {
  emptyPlan,
  type Conclusion,
  type Engine,
  type Operation,
  type Phase,
  type Wait,
  type Warning,
} from '../../engine/operation.js';
import {loadMeshOrEmpty, type LoadedMesh, type MeshRequest} from '../shared/load-mesh.js';
import {gatherEvidence} from '../../observe/evidence.js';
import {measureTraffic} from './traffic.js';

/** The request of `verify`. */
export interface VerifyRequest {
  readonly mesh: MeshRequest;
  readonly selection: Selection;
  readonly limits: Limits;
  /**
   * Repeat until no finding at or above `failOn` is left and nothing is unknown, for at most this time. Milliseconds.
   * Absent: run once.
   */
  readonly waitMs?: number;
  readonly failOn: Severity;
  /** Fail if the root key is not in the mesh request's `rootDirectory`: the user expects it there. */
  readonly requireRootKey?: boolean;
  /** Gather the facts of the whole topology, even if no selected check requires them. */
  readonly fullTopology?: boolean;
  /** Count the rows about pairs of clusters that are ok or skipped: the output does not list them. */
  readonly countsPairs?: boolean;
  /** Send requests between pods that are created for that. Milliseconds until unanswered requests are a finding. */
  readonly traffic?: {readonly timeoutMs: number};
}

/** The result of `verify`. */
export interface VerifyResult extends Report {
  /** The topology of the mesh, from the facts that the selected checks (or the output format) required. */
  readonly mesh: MeshTopology;
  /** Notes on the declared and the running Istio versions. They do not change the verdict. */
  readonly warnings: readonly Warning[];
  /** With `--wait`: it timed out or was interrupted before all checks passed. The rows are those of the last pass. */
  readonly error?: ErrorReport;
}

interface VerifyFacts {
  readonly evidence: Evidence;
  readonly report: Report & Pick<VerifyResult, 'mesh' | 'warnings'>;
}

/** What was read last, and why not all checks passed in time. */
interface ReadFacts extends VerifyFacts {
  readonly error?: ErrorReport;
}

/** `verify`: `failOn` affects only the exit code, not the result. Also a step of `up`. */
export const verifyMesh: Operation<VerifyRequest, VerifyResult> = {
  command: 'verify',
  changes: false,
  execute: runVerify,
  conclude: concludeVerify,
};

/** The same with `traffic`: it creates pods, so it takes the work directory's lock, and the journal records it. */
export const verifyTraffic: Operation<VerifyRequest, VerifyResult> = {...verifyMesh, changes: true};

/** Runs verify once, or until all checks pass; then sends requests, if that is requested. */
async function runVerify(request: VerifyRequest, engine: Engine): Promise<VerifyResult> {
  const requested = requestedChecks(request);
  const selected = requested.filter((check) => !isOfTraffic(check));
  const last = await readUntilPassing(request, selected, engine);
  if (!request.traffic || last.error) return resultOf(last);
  const {facts, warnings, leftover, aborted} = await measureTraffic(last.evidence, request.traffic.timeoutMs, engine);
  const clusters = last.evidence.clusters.map(({cluster, facts: read}, index) => ({
    cluster,
    facts: {...read, ...facts[index]},
  }));
  const evaluated = evaluate(requested, {...last.evidence, clusters}, request);
  const error = aborted ?? leftover[0];
  const all = [...evaluated.report.warnings, ...warnings];
  return {...evaluated.report, warnings: all, ...(error && {error})};
}

/** The checks to evaluate. Throws `USAGE` if all of them require requests that were not requested, or none does and they were. */
function requestedChecks({selection, traffic}: VerifyRequest): readonly Check[] {
  const selected = selectChecks(checks, selection);
  const requested = selected.filter((check) => traffic !== undefined || !isOfTraffic(check));
  const [first] = selected;
  if (traffic && !requested.some(isOfTraffic)) {
    throw new MeshError('USAGE', '--traffic sends requests for MESH601 and MESH602, of which none is selected');
  }
  if (requested.length > 0 || !first) return requested;
  throw new MeshError('USAGE', `${first.id} requires --traffic, which creates pods and sends requests between them`);
}

function isOfTraffic({vantage}: Check): boolean {
  return vantage === 'requests';
}

function evaluate(selected: readonly Check[], evidence: Evidence, {countsPairs}: VerifyRequest): VerifyFacts {
  const report = judge(selected, evidence, {countsPairs});
  const mesh = topologyOf(evidence, report);
  return {evidence, report: {...report, mesh, warnings: versionNotes(evidence)}};
}

function resultOf({report, error}: ReadFacts): VerifyResult {
  return error ? {...report, error} : report;
}

/** Reads and evaluates once, or until all checks pass. */
async function readUntilPassing(
  request: VerifyRequest,
  selected: readonly Check[],
  engine: Engine,
): Promise<ReadFacts> {
  const {waitMs, failOn, limits} = request;
  const {concurrency, dryRun} = engine.settings;
  const extraFacts: readonly FactKey[] = [
    ...(request.fullTopology === true ? topologyFacts : []),
    // The revisions that inject, and the namespaces that istiod reads.
    ...(request.traffic ? (['controlPlanes'] as const) : []),
  ];
  const reader: EvidenceReader = {
    selected,
    failOn,
    async load(deps) {
      const loaded = await loadMeshOrEmpty(deps, request.mesh);
      if (request.requireRootKey === true) await requireRootKey(deps, loaded.mesh);
      return loaded;
    },
    async read(deps, {mesh, clusters}, again) {
      const required = again ? {checks: again.checks, extraFacts: []} : {checks: selected, extraFacts};
      const evidence = await gatherEvidence(deps, {mesh, clusters, limits, concurrency, ...required});
      return evaluate(selected, again ? replaceFacts(again.last.evidence, evidence) : evidence, request);
    },
  };
  const gather = async (deps: Deps): Promise<VerifyFacts> => reader.read(deps, await reader.load(deps));
  const first = (await engine.run(phase('verify', gather, ({report: {warnings}}) => warnings))).facts;
  if (
    waitMs === undefined ||
    // A dry run changes nothing, so waiting does not help.
    dryRun !== 'none' ||
    isPassing(first.report.checks, failOn) ||
    terminalReason(first.report.checks, selected, failOn)
  ) {
    return first;
  }
  return wait(reader, waitMs, engine, first);
}

/** Throws `FILE_MISSING` if the root key's directory does not contain it. */
async function requireRootKey(deps: Deps, {trust: {signer}}: Mesh): Promise<void> {
  if (await deps.rootStore(signer).statTarget(layout.rootKey)) return;
  throw new MeshError('FILE_MISSING', `${rootKeyPath(signer)} not found`, {
    hints: ['attach the drive with the root key, or specify another directory with --root-dir DIR'],
  });
}

type Loaded = Pick<LoadedMesh, 'mesh' | 'clusters'>;

/** Loads the mesh, reads its facts and evaluates the checks. */
interface EvidenceReader {
  readonly selected: readonly Check[];
  readonly failOn: Severity;
  load(deps: Deps): Promise<Loaded>;
  /** Reads the facts of the selected checks; `again`: only those of some checks, reusing the rest of the last pass. */
  read(
    deps: Deps,
    loaded: Loaded,
    again?: {readonly last: VerifyFacts; readonly checks: readonly Check[]},
  ): Promise<VerifyFacts>;
}

/** The pause before each pass of `--wait`; the last one is repeated. Milliseconds. */
const pausesMs = [1000, 2000, 4000, 5000] as const;

async function wait(reader: EvidenceReader, waitMs: number, engine: Engine, first: VerifyFacts): Promise<ReadFacts> {
  const {selected, failOn} = reader;
  const start = first.evidence.now.getTime();
  const end = start + waitMs;
  let last = first;
  let wasRefused = false;
  let elapsedMs = 0;
  try {
    for (let pass = 0; ; pass += 1) {
      const before = last;
      const poll = async (deps: Deps): Promise<VerifyFacts | undefined> => {
        const leftMs = end - deps.now().getTime();
        await deps.sleep(Math.max(0, Math.min(leftMs, pausesMs[pass] ?? pausesMs[3])));
        const facts = deps.now().getTime() < end ? await readAgain(reader, deps, before) : undefined;
        elapsedMs = deps.now().getTime() - start;
        return facts;
      };
      const known = new Set(before.report.warnings.map(({message}) => message));
      const newWarnings = (facts: VerifyFacts | undefined): readonly Warning[] =>
        (facts?.report.warnings ?? []).filter(({message}) => !known.has(message));
      const wait = {...firstPending(before.report, failOn), elapsedMs, limitMs: waitMs};
      const {facts} = await engine.run({...phase('wait', poll, newWarnings), wait});
      if (!facts) {
        const message = `not all checks passed within ${formatDuration(waitMs)}`;
        const hints = ['to wait longer, use --timeout', 'the findings above show what is missing'];
        return {...before, error: problem('TIMEOUT', message, ...hints)};
      }
      last = facts;
      const terminal = terminalReason(last.report.checks, selected, failOn);
      if (isPassing(last.report.checks, failOn) || terminal === 'finding' || terminal === 'time') return last;
      // An API server that is starting briefly rejects allowed requests: only a second rejection in a row counts.
      if (terminal === 'refusal' && wasRefused) return last;
      wasRefused = terminal === 'refusal';
    }
  } catch (thrown) {
    const error = asMeshError(thrown);
    if (error.class !== 'timeout' && error.class !== 'interrupted') throw thrown;
    return {...last, error: reportError(error)};
  }
}

/**
 * One pass: reads the facts of the pending checks again (per the table of facts), and all facts once those checks pass,
 * since earlier ones may have changed meanwhile. Also reads all facts if mesh.yaml changed, or if a pending check
 * requires a fact that depends on all requests.
 */
async function readAgain(reader: EvidenceReader, deps: Deps, last: VerifyFacts): Promise<VerifyFacts> {
  const loaded = await reader.load(deps);
  const {mesh, clusters} = last.evidence;
  const ids = new Set(last.report.checks.filter((row) => !isPassing([row], reader.failOn)).map(({id}) => id));
  const pending = reader.selected.filter(({id}) => ids.has(id));
  const isSameMesh = isDeepStrictEqual([mesh, clusters.map(({cluster}) => cluster)], [loaded.mesh, loaded.clusters]);
  if (!isSameMesh || [...requiredFacts(pending)].some(summarizesOthers)) return reader.read(deps, loaded);
  const facts = await reader.read(deps, loaded, {last, checks: pending});
  return isPassing(facts.report.checks, reader.failOn) ? reader.read(deps, loaded) : facts;
}

/** The last pass's facts, updated with those read again. Both have the same clusters in the same order. */
function replaceFacts(last: Evidence, update: Evidence): Evidence {
  return {
    ...update,
    facts: {...last.facts, ...update.facts},
    clusters: update.clusters.map(({cluster, facts}, index) => ({
      cluster,
      facts: {...last.clusters[index]?.facts, ...facts},
    })),
  };
}

/** The first check that does not pass, where, and how many more there are: `MESH402 TITLE, and 2 more checks`. */
function firstPending({checks: rows}: Report, failOn: Severity): Pick<Wait, 'where' | 'what'> {
  const pending = rows.filter((row) => !isPassing([row], failOn));
  const [first = pending[0]] = pending.filter(({impliedBy}) => impliedBy === undefined);
  const {id = '', title = '', cluster = 'mesh', peer} = first ?? {};
  const more = pending.length > 1 ? `, and ${plural(pending.length - 1, 'more check', 'more checks')}` : '';
  return {where: peer === undefined ? cluster : `${cluster} to ${peer}`, what: `${id} ${title}${more}`};
}

/** A phase with an empty plan, which carries only warnings. */
function phase<T>(title: string, gather: Phase<T>['gather'], warnings: (facts: T) => readonly Warning[]): Phase<T> {
  return {title, gather, plan: (facts) => ({...emptyPlan, warnings: warnings(facts)})};
}

/** What the rows mean for the exit code. */
function concludeVerify(result: VerifyResult, {failOn}: VerifyRequest): readonly Conclusion[] {
  return [
    ...(result.error ? [result.error.code] : []),
    ...result.checks.flatMap((row): readonly Conclusion[] => {
      if (row.result === 'unknown') return [codeOfUnknown(row)];
      if (!isFailing(row, failOn)) return [];
      // All other checks depend on mesh.yaml: invalid input, as in other commands.
      return row.id === 'MESH101' ? ['findings', 'MESH_YAML_INVALID'] : ['findings'];
    }),
  ];
}
