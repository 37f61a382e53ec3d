/** What istioctl's own words mean, how much of them people are shown, and what it cannot be told. */
import {MeshError} from '../errors.js';

/** Lines kept of a failed run: istioctl ends with the reason, after its progress. */
const tailLines = 12;

/** What a finished run said. */
interface RunOutput {
  readonly exitCode: number;
  readonly output: string;
}

/** Whether a line is news: istioctl also draws its logo and repeats the objects it waits for. */
export function isInformative(text: string): boolean {
  return /\p{Letter}/u.test(text) && !/^\s*[|\\/_]/.test(text);
}

/**
 * Whether istioctl gave up waiting: `resources not ready after …` (istio/istio operator/pkg/install/wait.go, since 1.8
 * operator/pkg/helmreconciler/wait.go), `timed out waiting for the condition` (k8s.io/apimachinery pkg/util/wait).
 */
export function isReadinessFailure(output: string): boolean {
  return /resources not ready after|timed out waiting for the condition|failed to wait for resource/i.test(output);
}

/** The message of a failed run: what was run, what is not ready, and the end of what istioctl said. */
export function failureMessage(args: readonly string[], said: RunOutput, notReady: readonly string[]): string {
  const flags = args.findIndex((arg) => arg.startsWith('-'));
  const command = args.slice(0, Math.max(1, flags)).join(' ');
  const tail = said.output
    .split('\n')
    .map((line) => line.trimEnd())
    .filter(isInformative)
    .slice(-tailLines);
  return [
    `istioctl ${command} failed (exit ${String(said.exitCode)})`,
    ...(notReady.length > 0 ? ['not ready:', ...notReady.map((line) => `  ${line}`)] : []),
    ...(tail.length > 0 ? ['istioctl said:', ...tail.map((line) => `  ${line}`)] : ['istioctl said nothing']),
  ].join('\n');
}

/** istioctl acts as another user only in recent versions: a flag that it may drop is not passed on. */
export function impersonationUnsupported(): MeshError {
  return new MeshError('UNSUPPORTED_FLAG', 'istioctl is not run as another user: --as and --as-group are not for it', {
    hints: ['use a kubeconfig context whose credentials have the rights istioctl needs'],
  });
}
