/** `up`: every step from nothing to a proven mesh, each the same operation as the command of that name. */
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
import {applyInstalls, type ApplyRequest} from './install/apply.js';
import {renderInstalls} from './install/render.js';
import type {MeshRequest} from './shared/load-mesh.js';
import type {TrustRules} from './trust/plan-changes.js';
import {pushTrust} from './trust/push.js';
import {verifyMesh, type VerifyRequest} from './verify/verify.js';

/** Everything that the steps may be told. */
export interface UpRequest
  extends MeshRequest, TrustRules, Omit<ApplyRequest, keyof MeshRequest>, Pick<GenerateRequest, 'clear' | 'rootFile'> {
  /** How long the last step waits for green. Milliseconds. */
  readonly waitMs: number;
  /** The command as typed, to be shown to those who have to run it again. */
  readonly again: string;
}

/** What a step answers, as far as `up` looks at it; the rest is the command's own answer. */
export interface StepAnswer extends Pick<CommonResult, 'clusters' | 'warnings'> {
  readonly verdict?: Verdict;
}

/** One step of {@link UpResult}. */
export interface UpStep {
  /** As typed: `trust push`. */
  readonly command: string;
  readonly outcome: ClusterOutcome;
  /** The answer of that command; absent where it was not started or ended with an error. */
  readonly result?: StepAnswer;
  readonly error?: ErrorReport;
  /** In a dry run: the step that has to be done before this one can be told. */
  readonly knownAfter?: string;
}

/** What `up` answers. */
export interface UpResult extends CommonResult {
  readonly steps: readonly UpStep[];
  readonly clusters: readonly ClusterResult[];
  /** Of the last step, where it was reached. */
  readonly verdict?: Verdict;
  readonly warnings: readonly Warning[];
  /** The command that goes on from here, once what went wrong is mended: this one, as typed. */
  readonly again: string;
}

/** One step: an operation with the part of the request that is its own. */
interface Step {
  readonly command: string;
  /** Steps whose changes this one has to see: a dry run cannot tell it while they would change something. */
  readonly needs: readonly string[];
  run(request: UpRequest, engine: Engine): Promise<UpStep>;
  conclude(result: StepAnswer, request: UpRequest): readonly Conclusion[];
}

/** A line for each command, in the order of Istio's guide: trust before istiod, proof last. */
const steps: readonly Step[] = [
  step(generateCerts, [], (request): GenerateRequest => {
    const {clusters, keyAlgorithm, clear, signer, rootDirectory, rootFile} = request;
    return {clusters, keyAlgorithm, clear, signer, rootDirectory, rootFile, renew: false};
  }),
  step(pushTrust, ['certs generate'], (request) => request),
  step(renderInstalls, [], (request) => request),
  step(applyInstalls, ['trust push', 'install render'], (request) => request),
  step(verifyMesh, ['install apply'], ({clusters, context, istioNamespace, waitMs}): VerifyRequest => ({
    mesh: {clusters, context, istioNamespace},
    selection: {only: [], skip: []},
    limits: {},
    waitMs,
    failOn: 'error',
  })),
];

function step<Request, Result extends StepAnswer>(
  operation: Operation<Request, Result>,
  needs: readonly string[],
  requestOf: (request: UpRequest) => Request,
): Step {
  const {command} = operation;
  // A step concludes only its own results.
  const conclude: Step['conclude'] = (result, request) => operation.conclude(result as Result, requestOf(request));
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
 * Runs the steps one after the other, and stops at the first that does not succeed: with `--keep-going` it goes on with
 * the clusters that did. Each step does only what is left, so running it again goes on from there.
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
      // What a dry run cannot look behind: an earlier step, needed by this one, that would change something.
      const blocking = done.find((one) => needs.includes(one.command) && one.outcome === 'skipped')?.command;
      if (stopped || blocking !== undefined) {
        done.push(defined<UpStep>({command, outcome: 'skipped', knownAfter: stopped ? undefined : blocking}));
        continue;
      }
      const ended = await next.run({...request, clusters: names}, engine);
      done.push(ended);
      if (isFine(ended.outcome)) continue;
      names = (ended.result?.clusters ?? []).filter(({outcome}) => isFine(outcome)).map(({name}) => name);
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

/** The worst of its clusters; what was concluded otherwise counts as well. `skipped`: a dry run that would change something. */
function outcomeOf({clusters = []}: StepAnswer, conclusions: readonly Conclusion[], dryRun: boolean): ClusterOutcome {
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

/** Whether the next step may follow; in a dry run a skipped step is one that would change something. */
function isFine(outcome: ClusterOutcome): boolean {
  return outcome === 'done' || outcome === 'unchanged' || outcome === 'skipped';
}

/** Each cluster's outcome over all steps: the first that went wrong, or whether any changed something. */
function clustersOf(done: readonly UpStep[]): readonly ClusterResult[] {
  const results = done.flatMap(({result}) => result?.clusters ?? []);
  const names = [...new Set(results.map(({name}) => name))];
  return names.map((name) => {
    const own = results.filter((result) => result.name === name);
    const wrong = own.find(({outcome}) => !isFine(outcome));
    if (wrong) return defined<ClusterResult>({name, outcome: wrong.outcome, error: wrong.error});
    const changed = own.find(({outcome}) => outcome !== 'unchanged');
    return {name, outcome: changed?.outcome ?? 'unchanged'};
  });
}
