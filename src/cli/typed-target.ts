import {commandsFor, shellWord} from '../domain/checks/commands.js';
import type {TypedTarget} from '../domain/checks/commands.js';
import {MeshError} from '../domain/errors.js';

/** The flags that say which mesh, as parsed. */
interface TargetFlags {
  readonly 'work-dir'?: string | undefined;
  readonly kubeconfig?: string | undefined;
  readonly context?: string | undefined;
  readonly 'istio-namespace'?: string | undefined;
  readonly as?: string | undefined;
  readonly 'as-group'?: readonly string[] | undefined;
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
    ...(flags['as-group'] !== undefined && {asGroups: flags['as-group']}),
  };
}

/** The error, its hints' commands with the target flags as typed. */
export function completeError(error: MeshError, flags: TargetFlags): MeshError {
  if (error.hints.length === 0) return error;
  const commands = commandsFor(typedTarget(flags));
  return new MeshError(error.code, error.message, {
    hints: error.hints.map((hint) => commands.complete(hint)),
    cause: error.cause,
  });
}

/** A result, the commands in the hints of its errors with the target flags as typed. */
export function completeHints<Result>(result: Result, flags: TargetFlags): Result {
  const commands = commandsFor(typedTarget(flags));
  const walk = (value: unknown, key?: string): unknown => {
    if (Array.isArray(value)) return value.map((item) => walk(item, key));
    if (typeof value === 'string') return key === 'hints' || key === 'hint' ? commands.complete(value) : value;
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, walk(item, name)]));
  };
  // The same shape: only texts differ. Results are plain JSON.
  return walk(result) as Result;
}
