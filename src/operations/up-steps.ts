/** The steps of `up`: a line for each command, in order. A new step is a new entry. */
import type {TypedTarget} from '../domain/checks/commands.js';
import type {Verdict} from '../domain/checks/report.js';
import type {ApplyRequest} from './install/apply.js';
import type {MeshRequest} from './shared/load-mesh.js';
import type {TrustRules} from './trust/plan-changes.js';
import type {Conclusion, Engine, Operation, Warning} from '../engine/operation.js';
import type {ClusterResult} from '../engine/report.js';
import {generateCerts} from './certs/generate.js';
import type {GenerateRequest} from './certs/generate.js';
import {applyInstalls} from './install/apply.js';
import {renderInstalls} from './install/render.js';
import {pushTrust} from './trust/push.js';
import {verifyMesh} from './verify/verify.js';
import type {VerifyRequest} from './verify/verify.js';

/** Everything that the steps may be told. */
export interface UpRequest extends MeshRequest, TrustRules, Omit<ApplyRequest, keyof MeshRequest> {
  readonly clear: GenerateRequest['clear'];
  readonly rootFile?: GenerateRequest['rootFile'];
  /** How long the last step waits for green. Milliseconds. */
  readonly waitMs: number;
  /** The command as typed, to be shown to those who have to run it again. */
  readonly again: string;
  /** The target flags as typed, for the commands in findings. */
  readonly typed: TypedTarget;
}

/** What a step answers, as far as `up` looks at it; the rest is the command's own answer. */
export interface StepAnswer {
  readonly clusters?: readonly ClusterResult[];
  readonly warnings?: readonly Warning[];
  readonly verdict?: Verdict;
}

/** One step: an operation with the part of the request that is its own. */
export interface Step {
  readonly command: string;
  /** Steps whose changes this one has to see: a dry run cannot tell it while they would change something. */
  readonly needs: readonly string[];
  run(request: UpRequest, engine: Engine): Promise<StepAnswer>;
  conclude(result: StepAnswer): readonly Conclusion[];
}

/** The order of Istio's guide: trust before istiod, proof last. */
export const steps: readonly Step[] = [
  step(generateCerts, [], (request): GenerateRequest => {
    const {clusters, keyAlgorithm, clear, signer, rootDirectory, rootFile} = request;
    return {clusters, keyAlgorithm, clear, signer, rootDirectory, rootFile, renew: false};
  }),
  step(pushTrust, ['certs generate'], (request) => request),
  step(renderInstalls, [], (request) => request),
  step(applyInstalls, ['trust push', 'install render'], (request) => request),
  step(
    verifyMesh('error'),
    ['install apply'],
    ({clusters, context, istioNamespace, waitMs, typed}, dryRun): VerifyRequest => ({
      mesh: {clusters, context, istioNamespace},
      selection: {only: [], skip: []},
      limits: {},
      // What a dry run leaves as it is does not become green by waiting.
      ...(!dryRun && {waitMs}),
      failOn: 'error',
      typed,
    }),
  ),
];

function step<Request, Result extends StepAnswer>(
  operation: Operation<Request, Result>,
  needs: readonly string[],
  requestOf: (request: UpRequest, dryRun: boolean) => Request,
): Step {
  return {
    command: operation.command,
    needs,
    run: (request, engine) => operation.execute(requestOf(request, engine.settings.dryRun !== 'none'), engine),
    // A step concludes only its own results.
    conclude: (result) => operation.conclude(result as Result),
  };
}
