/**
 * `trust rotate cluster-ca`: a new key and certificate for each cluster CA, pushed and verified. Like `up`, it composes the
 * operations of other commands: `certs generate --renew` issues, `trust push` pushes and verifies, `trust rollback` restores.
 */
import {defined} from '../domain/defined.js';
import {asMeshError, reportError} from '../domain/errors.js';
import type {Engine, Operation, Phase, Warning} from '../engine/operation.js';
import {type ClusterResult, concludeClusters, outcomeOfError, outcomesOf} from '../engine/report.js';
import {generateCerts, planGenerate} from './certs/generate.js';
import {gatherGenerate, type GenerateFacts, type GenerateRequest} from './certs/generate-facts.js';
import {gatherPush} from './trust/gather-push.js';
import {planChanges} from './trust/plan-changes.js';
import {reportChanges} from './trust/report-changes.js';
import {rollbackTrust} from './trust/rollback.js';
import {gatherRotation, type RotateRequest, type RotationFacts} from './trust/rotation/gather-rotation.js';
import {clustersWith, planRotation, type RotationPlan} from './trust/rotation/plan-rotation.js';
import {afterRollback, reportRotation, type RotatedStep, type RotateResult} from './trust/rotation/report-rotation.js';

/** The facts of the preview. */
interface PreviewFacts extends RotationFacts {
  /** What issuing the new CAs requires; absent if none is issued. */
  readonly issuing?: GenerateFacts;
}

/**
 * Shows and confirms the whole plan, then changes one cluster, and, once it is verified, the others in waves of `--concurrency`.
 * Each wave issues, pushes and verifies. After a failure no further wave starts; with `--keep-going` only a failure of the first
 * cluster stops the run.
 */
export const rotateClusterCas: Operation<RotateRequest, RotateResult> = {
  command: 'trust rotate cluster-ca',
  changes: true,
  async execute(request, engine) {
    const {settings} = engine;
    const preview = await engine.run(previewOf(request, engine));
    const steps: RotatedStep[] = [];
    const warnings: Warning[] = [...preview.plan.warnings];
    for (const [index, wave] of startable(preview.plan, engine).entries()) {
      const done = await runWave(wave, clustersWith(preview.facts, 'renew'), request, engine);
      steps.push(...done.steps);
      warnings.push(...done.warnings);
      const failed = done.steps.some(({outcome}) => outcome !== 'done' && outcome !== 'unchanged');
      if (failed && (index === 0 || !settings.keepGoing)) break;
    }
    return reportRotation(preview, steps, distinct(warnings));
  },
  conclude: ({clusters}) => concludeClusters(clusters),
};

function previewOf(request: RotateRequest, {settings}: Engine): Phase<PreviewFacts, RotationPlan> {
  return {
    title: 'read the clusters',
    isPreview: true,
    async gather(deps) {
      const facts = await gatherRotation(deps, request, settings);
      const clusters = clustersWith(facts, 'renew');
      // The signer is not used unless a CA has to be issued.
      const canIssue = clusters.length > 0 && facts.root.kind === 'present';
      return defined({
        ...facts,
        issuing: canIssue ? await gatherGenerate(deps, renewal(request, clusters)) : undefined,
      });
    },
    plan: ({issuing, ...facts}) =>
      planRotation(facts, issuing && planGenerate(issuing), request, Math.max(1, settings.concurrency)),
  };
}

/** The waves that may start; none in a dry run, or if a blocker stops the run. */
function startable({waves, blockers}: RotationPlan, {settings}: Engine): RotationPlan['waves'] {
  const stops = blockers.some(({cluster}) => cluster === undefined) || (blockers.length > 0 && !settings.keepGoing);
  return settings.dryRun !== 'none' || stops ? [] : waves;
}

/** The request of `certs generate --renew`. */
function renewal(request: RotateRequest, clusters: readonly string[]): GenerateRequest {
  return {...request, clusters, renew: true, unencrypted: false};
}

/** The steps of one wave, and the warnings. */
interface WaveResult {
  readonly steps: readonly RotatedStep[];
  readonly warnings: readonly Warning[];
}

/** Issues the CAs of a wave, pushes and verifies them; restores the previous ones on request. */
async function runWave(
  names: readonly string[],
  renewed: readonly string[],
  request: RotateRequest,
  engine: Engine,
): Promise<WaveResult> {
  const issuing = await issue(
    names.filter((name) => renewed.includes(name)),
    request,
    engine,
  );
  const failed = issuing.steps.filter(({outcome}) => outcome !== 'done');
  const stops = failed.length > 0 && !engine.settings.keepGoing;
  const ready = names.filter((name) => !failed.some((one) => one.name === name));
  const pushing: WaveResult = stops
    ? {steps: ready.map((name) => ({name, outcome: 'skipped'})), warnings: []}
    : await push(ready, issuing.steps, request, engine);
  const steps: RotatedStep[] = [];
  for (const step of [...failed, ...pushing.steps]) steps.push(await restore(step, request, engine));
  return {steps, warnings: [...issuing.warnings, ...pushing.warnings]};
}

async function issue(clusters: readonly string[], request: RotateRequest, engine: Engine): Promise<WaveResult> {
  if (clusters.length === 0) return {steps: [], warnings: []};
  return orFailed(clusters, async () => {
    const {clusters: issued, errors, warnings} = await generateCerts.execute(renewal(request, clusters), engine);
    const [error] = errors;
    const steps = issued.map(({name, outcome, error: own}): ClusterResult => {
      const cause = own ?? (outcome === 'done' ? undefined : error);
      return defined({name, outcome: own === undefined && cause ? outcomeOfError(cause) : outcome, error: cause});
    });
    return {steps, warnings};
  });
}

async function push(
  clusters: readonly string[],
  issued: readonly RotatedStep[],
  request: RotateRequest,
  engine: Engine,
): Promise<WaveResult> {
  if (clusters.length === 0) return {steps: [], warnings: []};
  return orFailed(clusters, async () => {
    const run = await engine.run({
      title: 'read the clusters',
      gather: (deps) => gatherPush(deps, {...request, clusters}, engine.settings, true),
      plan: (facts) => planChanges(facts, request, 'together'),
    });
    const proofs = [...outcomesOf(run, 'await-bundle'), ...outcomesOf(run, 'restart-workload')];
    const steps = reportChanges(run).clusters.map((pushed): RotatedStep => {
      const {name, outcome, error} = pushed;
      const own = proofs.filter(({cluster}) => cluster === name);
      const isProven = own.some(({kind, status}) => kind === 'await-bundle' && status === 'done');
      // A CA was issued: the cluster has changed, whatever prevented the push.
      const isHalf = issued.some((one) => one.name === name) && (outcome === 'unknown' || outcome === 'refused');
      const proven = isProven || (own.some(({status}) => status === 'failed') ? false : undefined);
      return defined({name, outcome: isHalf ? 'failed' : outcome, error, pushed, proven});
    });
    return {steps, warnings: run.plan.warnings};
  });
}

/** Restores the previous CA, if the user requests it, where the new one was pushed and istiod does not use it. */
async function restore(step: RotatedStep, request: RotateRequest, engine: Engine): Promise<RotatedStep> {
  const {name, error, proven} = step;
  if (!request.rollbackOnFailure || proven !== false || error?.code !== 'NOT_READY') return step;
  const confirmed: Engine = {settings: engine.settings, run: (phase) => engine.run({...phase, isConfirmed: true})};
  const {steps} = await orFailed([name], async () => {
    const {clusters, warnings} = await rollbackTrust.execute({...request, clusters: [name], forget: false}, confirmed);
    return {steps: clusters.map((one) => defined({name, outcome: one.outcome, error: one.error})), warnings};
  });
  const [rollback = {name, outcome: 'failed'} as const] = steps;
  return {...step, error: afterRollback(error, name, rollback), rollback};
}

/** The result, or the error that ended the work as the error of each of these clusters. Bugs are rethrown. */
async function orFailed(clusters: readonly string[], work: () => Promise<WaveResult>): Promise<WaveResult> {
  try {
    return await work();
  } catch (thrown) {
    const error = asMeshError(thrown);
    if (error.class === 'bug') throw thrown;
    const report = reportError(error);
    return {steps: clusters.map((name) => ({name, outcome: outcomeOfError(report), error: report})), warnings: []};
  }
}

function distinct(warnings: readonly Warning[]): readonly Warning[] {
  return [...new Map(warnings.map((warning) => [JSON.stringify(warning), warning])).values()];
}
