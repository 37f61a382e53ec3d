/** `up`: all steps from an empty directory to a verified mesh; each is the operation of the command of that name. */
import {defined} from '../domain/defined.js';
import type {Verdict} from '../domain/checks/report.js';
import {asMeshError, reportError, type ErrorReport} from '../domain/errors.js';
import type {Conclusion, Engine, Operation, Warning} from '../engine/operation.js';
import {
  answerOf,
  outcomeOfError,
  type ClusterOutcome,
  type ClusterResult,
  type CommonResult,
} from '../engine/report.js';
import {generateCerts} from './certs/generate.js';
import type {GenerateRequest} from './certs/generate-facts.js';
import type {LinkRules} from './discovery/link-facts.js';
import {applyInstalls, type ApplyRequest} from './install/apply.js';
import {renderInstalls} from './install/render.js';
import {linkClusters} from './discovery/link.js';
import type {TrustRules} from './trust/plan-changes.js';
import {pushTrust} from './trust/push.js';
import {verifyMesh, type VerifyRequest} from './verify/verify.js';

/** The requests of all steps combined. */
export interface UpRequest
  extends TrustRules, ApplyRequest, LinkRules, Pick<GenerateRequest, 'unencrypted' | 'rootFile'> {
  /** How long the last step waits until all checks pass. Milliseconds. */
  readonly waitMs: number;
  /** Count the rows of verify about pairs that are ok or skipped: the output does not list them. */
  readonly countsPairs: boolean;
  /** The command as typed, shown where it has to be run again. */
  readonly again: string;
}

/** The part of a step's result that `up` reads; the rest is the command's own result. */
export interface StepResult extends Pick<CommonResult, 'clusters' | 'warnings'> {
  readonly verdict?: Verdict;
}

/** One step of {@link UpResult}. */
export interface UpStep {
  /** As typed: `trust push`. */
  readonly command: string;
  readonly outcome: ClusterOutcome;
  /** The result of that command; absent if it did not start or ended with an error. */
  readonly result?: StepResult;
  readonly error?: ErrorReport;
  /** In a dry run: the step that has to run before this one can be planned. */
  readonly knownAfter?: string;
}

/** The result of `up`. */
export interface UpResult extends CommonResult {
  readonly steps: readonly UpStep[];
  readonly clusters: readonly ClusterResult[];
  /** The verdict of the last step, if it ran. */
  readonly verdict?: Verdict;
  readonly warnings: readonly Warning[];
  /** The command that continues from here once the problem is fixed: this one, as typed. */
  readonly again: string;
}

/** One step: an operation and its part of the request. */
interface UpStepDefinition {
  readonly command: string;
  /** Steps whose changes this one depends on: a dry run cannot plan it while they would change something. */
  readonly needs: readonly string[];
  run(request: UpRequest, engine: Engine): Promise<UpStep>;
  conclude(result: StepResult, request: UpRequest): readonly Conclusion[];
}

/** The steps in the order of Istio's guide: trust before istiod, verification last. */
const steps: readonly UpStepDefinition[] = [
  // Records the flags before the root is created, which has the mesh ID in its name: a failed run continues without flags.
  step(generateCerts, [], (request): GenerateRequest => ({...request, renew: false})),
  step(pushTrust, ['certs generate'], (request) => request),
  step(renderInstalls, [], (request) => request),
  step(applyInstalls, ['trust push', 'install render'], (request) => request),
  step(linkClusters, ['install apply'], (request) => request),
  step(
    verifyMesh,
    ['install apply', 'link'],
    ({clusters, context, istioNamespace, rootDirectory, waitMs, countsPairs}): VerifyRequest => ({
      mesh: {clusters, context, istioNamespace, rootDirectory},
      selection: {only: [], skip: []},
      limits: {},
      waitMs,
      failOn: 'error',
      countsPairs,
    }),
  ),
];

function step<Request, Result extends StepResult>(
  operation: Operation<Request, Result>,
  needs: readonly string[],
  requestOf: (request: UpRequest) => Request,
): UpStepDefinition {
  const {command} = operation;
  // A step only ever receives results of its own operation.
  const conclude: UpStepDefinition['conclude'] = (result, request) =>
    operation.conclude(result as Result, requestOf(request));
  return {
    command,
    needs,
    conclude,
    async run(request, engine) {
      try {
        const result = answerOf(await operation.execute(requestOf(request), engine), engine.settings);
        const isDryRun = engine.settings.dryRun !== 'none';
        return {command, outcome: outcomeOf(result, conclude(result, request), isDryRun), result};
      } catch (thrown) {
        const error = asMeshError(thrown);
        if (error.class === 'bug') throw thrown;
        return {command, outcome: outcomeOfError(error), error: reportError(error)};
      }
    },
  };
}

/**
 * Runs the steps in order and stops at the first failure; with `--keep-going` it continues with the clusters that
 * succeeded. Each step does only what is still missing, so a second run continues where the first one stopped.
 */
export const bringUp: Operation<UpRequest, UpResult> = {
  command: 'up',
  changes: true,
  async execute(request, engine) {
    const done: UpStep[] = [];
    let names = request.clusters;
    let stopped = false;
    for (const next of steps) {
      const {command, needs} = next;
      // In a dry run: an earlier step that this one depends on and that would change something.
      const blocking = done.find((one) => needs.includes(one.command) && one.outcome === 'skipped')?.command;
      if (stopped || blocking !== undefined) {
        done.push(defined<UpStep>({command, outcome: 'skipped', knownAfter: stopped ? undefined : blocking}));
        continue;
      }
      const finished = await next.run({...request, clusters: names}, engine);
      done.push(finished);
      if (isSuccess(finished.outcome)) continue;
      names = (finished.result?.clusters ?? []).filter(({outcome}) => isSuccess(outcome)).map(({name}) => name);
      stopped = !engine.settings.keepGoing || names.length === 0;
    }
    return defined<UpResult>({
      steps: done,
      clusters: clustersOf(done),
      verdict: done.at(-1)?.result?.verdict,
      warnings: done.flatMap(({result}) => result?.warnings ?? []),
      again: request.again,
    });
  },
  conclude: ({steps: done}, request) =>
    done.flatMap(({command, result, error}) => {
      if (error) return [error.code];
      return result ? (steps.find((one) => one.command === command)?.conclude(result, request) ?? []) : [];
    }),
};

/** The worst outcome of the clusters and of the other conclusions. `skipped`: a dry run that would change something. */
function outcomeOf({clusters = []}: StepResult, conclusions: readonly Conclusion[], dryRun: boolean): ClusterOutcome {
  const worst = (['failed', 'refused', 'unknown', 'cancelled'] as const).find((outcome) =>
    clusters.some((cluster) => cluster.outcome === outcome),
  );
  if (worst) return worst;
  const conclusion = conclusions.find((one) => one !== 'done');
  if (conclusion !== undefined) {
    return conclusion === 'findings' ? 'failed' : outcomeOfError({code: conclusion, message: '', hints: []});
  }
  if (clusters.some(({outcome}) => outcome === 'skipped')) return dryRun ? 'skipped' : 'failed';
  return clusters.length > 0 && clusters.every(({outcome}) => outcome === 'unchanged') ? 'unchanged' : 'done';
}

/** Whether the next step may run; in a dry run a skipped step is one that would change something. */
function isSuccess(outcome: ClusterOutcome): boolean {
  return outcome === 'done' || outcome === 'unchanged' || outcome === 'skipped';
}

/** Each cluster's outcome over all steps: the first failure, or else whether any step changed something. */
function clustersOf(done: readonly UpStep[]): readonly ClusterResult[] {
  const results = done.flatMap(({result}) => result?.clusters ?? []);
  const names = [...new Set(results.map(({name}) => name))];
  return names.map((name) => {
    const own = results.filter((result) => result.name === name);
    const failure = own.find(({outcome}) => !isSuccess(outcome));
    if (failure) return defined<ClusterResult>({name, outcome: failure.outcome, error: failure.error});
    const changed = own.find(({outcome}) => outcome !== 'unchanged');
    return {name, outcome: changed?.outcome ?? 'unchanged'};
  });
}
