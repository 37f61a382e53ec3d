import {shellWord} from '../domain/checks/commands.js';
import type {TypedTarget} from '../domain/checks/commands.js';

/** The flags that say which mesh, as parsed. */
interface TargetFlags {
  readonly 'work-dir'?: string | undefined;
  readonly kubeconfig?: string | undefined;
  readonly context?: string | undefined;
  readonly 'istio-namespace'?: string | undefined;
  readonly as?: string | undefined;
}

/** The command as it was typed, for those who have to run it again. */
export function typedCommand(command: string, argv: readonly string[]): string {
  return ['kubectl mesh', command, ...argv.map(shellWord)].join(' ');
}

/** What a printed command has to repeat to reach the same mesh: flags, but not what the environment says anyway. */
export function typedTarget(
  flags: TargetFlags,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): TypedTarget {
  const workDir = flags['work-dir'];
  const isElsewhere = workDir !== undefined && workDir !== '.';
  return {
    ...(isElsewhere && {directory: workDir}),
    ...(isElsewhere && workDir !== environment.WORK_DIR && {workDir}),
    ...(flags.kubeconfig !== undefined && {kubeconfig: flags.kubeconfig}),
    ...(flags.context !== undefined && {context: flags.context}),
    ...(flags['istio-namespace'] !== undefined && {istioNamespace: flags['istio-namespace']}),
    ...(flags.as !== undefined && {as: flags.as}),
  };
}
