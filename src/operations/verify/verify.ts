/** `verify`: gathers facts, judges them, and with `--wait` follows until all is well. */
import type {Check, Severity} from '../../domain/checks/check.js';
import type {Evidence} from '../../domain/facts/facts.js';
import {judge} from '../../domain/checks/judge.js';
import type {Limits} from '../../domain/facts/limits.js';
import {whyHopeless} from '../../domain/checks/patience.js';
import {pictureFacts, pictureOf, type MeshPicture} from '../../domain/checks/picture.js';
import {checks} from '../../domain/checks/registry.js';
import {codeOfUnknown, isFailing, isGreen, type Report} from '../../domain/checks/report.js';
import {selectChecks, type Selection} from '../../domain/checks/select.js';
import {versionNotes} from '../../domain/checks/version-notes.js';
import {asMeshError, MeshError, reportError, type ErrorReport} from '../../domain/errors.js';
import type {Deps} from '../../engine/deps.js';
import {
  emptyPlan,
  type Conclusion,
  type Engine,
  type Operation,
  type Phase,
  type Warning,
} from '../../engine/operation.js';
import {loadMeshOrEmpty, type MeshRequest} from '../shared/load-mesh.js';
import {gatherEvidence} from '../../observe/evidence.js';
import {Waiter} from './wait.js';

/** What `verify` is asked. */
export interface VerifyRequest {
  readonly mesh: MeshRequest;
  readonly selection: Selection;
  readonly limits: Limits;
  /**
   * Follow until nothing at or above `failOn` is left and nothing is unknown, but no longer than these milliseconds.
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
  readonly mesh: MeshPicture;
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
  const look = async (deps: Deps): Promise<Facts> => {
    const {mesh, clusters} = await loadMeshOrEmpty(deps, request.mesh);
    const also = request.wholePicture === true ? pictureFacts : [];
    const evidence = await gatherEvidence(deps, {
      mesh,
      clusters,
      limits,
      checks: selected,
      also,
      concurrency,
    });
    const report = judge(selected, evidence);
    return {
      evidence,
      report: {...report, mesh: pictureOf(evidence, report.checks), warnings: versionNotes(evidence)},
    };
  };
  const first = (await engine.run(phase('verify', look, ({report}) => report.warnings))).facts;
  if (
    waitMs === undefined ||
    // What a dry run leaves as it is does not become green by waiting.
    dryRun !== 'none' ||
    isGreen(first.report.checks, failOn) ||
    whyHopeless(first.report.checks, selected, failOn)
  ) {
    return first.report;
  }
  return wait({request, waitMs, selected, engine, look}, first);
}

interface Wait {
  readonly request: VerifyRequest;
  readonly waitMs: number;
  readonly selected: readonly Check[];
  readonly engine: Engine;
  readonly look: (deps: Deps) => Promise<Facts>;
}

async function wait({request, waitMs, selected, engine, look}: Wait, first: Facts): Promise<VerifyResult> {
  const {failOn, limits} = request;
  const end = first.evidence.now.getTime() + waitMs;
  let waiter: Waiter | undefined;
  let last = first;
  let wasRefused = false;
  try {
    for (;;) {
      const before = last;
      const leftMs = end - before.evidence.now.getTime();
      const follow = async (deps: Deps): Promise<Facts | undefined> => {
        waiter ??= new Waiter(deps, {checks: selected, limits, failOn});
        await waiter.next({evidence: before.evidence, rows: before.report.checks}, leftMs);
        return deps.now().getTime() < end ? look(deps) : undefined;
      };
      const said = new Set(before.report.warnings.map(({message}) => message));
      const news = (seen: Facts | undefined): readonly Warning[] =>
        (seen?.report.warnings ?? []).filter(({message}) => !said.has(message));
      const {facts} = await engine.run(phase(`wait for ${whatIsMissing(before.report, failOn)}`, follow, news));
      if (!facts) return {...before.report, error: reportError(tooLate(waitMs))};
      last = facts;
      const hopeless = whyHopeless(last.report.checks, selected, failOn);
      if (isGreen(last.report.checks, failOn) || hopeless === 'finding' || hopeless === 'time') return last.report;
      // An API server that has just started refuses for a moment what it will allow: a refusal has to be seen twice.
      if (hopeless === 'refusal' && wasRefused) return last.report;
      wasRefused = hopeless === 'refusal';
    }
  } catch (thrown) {
    const error = asMeshError(thrown);
    if (error.class !== 'timeout') throw thrown;
    return {...last.report, error: reportError(error)};
  } finally {
    await waiter?.close();
  }
}

/** What a person who watches wants to read: `MESH402 cluster1 and 2 more`. */
function whatIsMissing({checks: rows}: Report, failOn: Severity): string {
  const missing = rows.filter((row) => !isGreen([row], failOn));
  const [first = missing[0]] = missing.filter(({impliedBy}) => impliedBy === undefined);
  const name = [first?.id, first?.cluster].filter((word) => word !== undefined).join(' ');
  return missing.length > 1 ? `${name} and ${String(missing.length - 1)} more` : name;
}

function tooLate(waitMs: number): MeshError {
  return new MeshError('TIMEOUT', `not all was well after ${String(Math.round(waitMs / 1000))} s`, {
    hints: ['Wait longer with --timeout', 'The findings above say what is missing'],
  });
}

/** Verify never plans anything: it looks, and warns of what it saw. */
function phase<T>(
  title: string,
  gather: (deps: Deps) => Promise<T>,
  warnings: (seen: T) => readonly Warning[] = () => [],
): Phase<T> {
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
