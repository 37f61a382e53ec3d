/** `verify`: gathers facts, judges them, and with `--wait` follows until all is well. */
import type {Check, Severity} from '../../domain/checks/check.js';
import type {TypedTarget} from '../../domain/checks/commands.js';
import type {Evidence} from '../../domain/checks/facts.js';
import {judge} from '../../domain/checks/judge.js';
import type {Limits} from '../../domain/checks/needs.js';
import {checks} from '../../domain/checks/registry.js';
import {codeOfUnknown, isFailing, isGreen} from '../../domain/checks/report.js';
import type {Report} from '../../domain/checks/report.js';
import {selectChecks} from '../../domain/checks/select.js';
import type {Selection} from '../../domain/checks/select.js';
import {asMeshError, MeshError, reportError} from '../../domain/errors.js';
import type {ErrorReport} from '../../domain/errors.js';
import {emptyPlan} from '../../engine/operation.js';
import type {Conclusion, Engine, Operation, Phase} from '../../engine/operation.js';
import type {MeshRequest} from '../shared/load-mesh.js';
import {gatherEvidence} from './gather.js';
import {nextChange} from './wait.js';

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
  /** The target flags as typed, for the commands in findings. */
  readonly typed: TypedTarget;
}

/** What `verify` answers. */
export interface VerifyResult extends Report {
  /** With `--wait`: the time was over before all was well. The rows are the last that were seen. */
  readonly error?: ErrorReport;
}

interface Facts {
  readonly evidence: Evidence;
  readonly report: Report;
}

/** The operation for one `--fail-on`: a finding's severity decides the exit code, not the answer. */
export function verifyMesh(failOn: Severity): Operation<VerifyRequest, VerifyResult> {
  return {
    command: 'verify',
    changes: false,
    execute: runVerify,
    conclude: (result) => concludeVerify(result, failOn),
  };
}

/** Runs verify, once or until green. Also a step of `up`. */
export async function runVerify(request: VerifyRequest, engine: Engine): Promise<VerifyResult> {
  const selected = selectChecks(checks, request.selection);
  let last: Facts | undefined;
  let started: number | undefined;
  for (;;) {
    try {
      last = (await engine.run(verifyPhase(request, selected, engine.settings.concurrency, last?.evidence))).facts;
    } catch (thrown) {
      const error = asMeshError(thrown);
      if (last === undefined || error.class !== 'timeout') throw thrown;
      return {...last.report, error: reportError(error)};
    }
    const {waitMs} = request;
    const {report, evidence} = last;
    if (waitMs === undefined || isGreen(report.checks, request.failOn) || isHopeless(report, selected, request)) {
      return report;
    }
    started ??= evidence.now.getTime();
    if (evidence.now.getTime() - started >= waitMs) return {...report, error: reportError(tooLate(waitMs))};
  }
}

function tooLate(waitMs: number): MeshError {
  return new MeshError('TIMEOUT', `not all was well after ${String(Math.round(waitMs / 1000))} s`, {
    hints: ['Wait longer with --timeout', 'The findings above say what is missing'],
  });
}

/** Verify never plans anything: it looks. */
function verifyPhase(
  request: VerifyRequest,
  selected: readonly Check[],
  concurrency: number,
  before: Evidence | undefined,
): Phase<Facts> {
  return {
    title: before === undefined ? 'verify' : 'wait for a change',
    async gather(deps) {
      if (before !== undefined) {
        const clusters = before.clusters.map(({cluster}) => cluster);
        await nextChange(deps, request.limits.offline ? [] : clusters, before.mesh.istio.namespace);
      }
      const {mesh, limits, typed} = request;
      const evidence = await gatherEvidence(deps, {mesh, limits, typed, checks: selected, concurrency});
      return {evidence, report: judge(selected, evidence)};
    },
    plan: () => emptyPlan,
  };
}

/** Whether something is wrong that no waiting mends, such as a wrong file in the work directory. */
function isHopeless(report: Report, selected: readonly Check[], {failOn}: VerifyRequest): boolean {
  const byHand = new Set(selected.filter(({waitable}) => !waitable).map(({id}) => id));
  return report.checks.some((row) => byHand.has(row.id) && isFailing(row, failOn));
}

/** What the rows mean for the exit code. */
export function concludeVerify(result: VerifyResult, failOn: Severity): readonly Conclusion[] {
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
