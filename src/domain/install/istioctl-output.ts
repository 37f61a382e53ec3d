/** Interprets istioctl's output and selects the lines to show. */
import {MeshError} from '../errors.js';

/** The number of lines shown after a failed run: istioctl prints the reason last, after its progress. */
const tailLines = 12;

/** The result of a finished run. */
interface RunOutput {
  readonly exitCode: number;
  readonly output: string;
}

/** Reports whether a line contains information. istioctl also draws its logo and repeats the objects it waits for. */
export function isInformative(text: string): boolean {
  return /\p{Letter}/u.test(text) && !/^\s*[|\\/_]/.test(text);
}

/**
 * Reports whether istioctl timed out while waiting: `resources not ready after …` (istio/istio operator/pkg/install/wait.go, since 1.8
 * operator/pkg/helmreconciler/wait.go), `timed out waiting for the condition` (k8s.io/apimachinery pkg/util/wait).
 */
export function isReadinessFailure(output: string): boolean {
  return /resources not ready after|timed out waiting for the condition|failed to wait for resource/i.test(output);
}

/** Returns the message for a failed run: the command, the objects that are not ready, and the end of istioctl's output. */
export function failureMessage(args: readonly string[], run: RunOutput, notReady: readonly string[]): string {
  const flags = args.findIndex((arg) => arg.startsWith('-'));
  const command = args.slice(0, Math.max(1, flags)).join(' ');
  const tail = run.output
    .split('\n')
    .map((line) => line.trimEnd())
    .filter(isInformative)
    .slice(-tailLines);
  return [
    `istioctl ${command} failed (exit code ${String(run.exitCode)})`,
    ...(notReady.length > 0 ? ['not ready:', ...notReady.map((line) => `  ${line}`)] : []),
    ...(tail.length > 0 ? ['istioctl output:', ...tail.map((line) => `  ${line}`)] : ['istioctl printed nothing']),
  ].join('\n');
}

/** Only recent versions of istioctl support impersonation; others might ignore the flag, so it is never passed on. */
export function impersonationUnsupported(): MeshError {
  return new MeshError('UNSUPPORTED_FLAG', '--as and --as-group are not supported by commands that run istioctl', {
    hints: ['use a kubeconfig context whose credentials have the permissions that istioctl needs'],
  });
}
