/** The flags of this run that select the mesh: a suggested command has to repeat them. */
import {defined} from '../../domain/defined.js';

/** The flags that select the mesh, as parsed. */
export interface TargetFlags {
  readonly 'work-dir'?: string | undefined;
  readonly kubeconfig?: string | undefined;
  readonly context?: string | undefined;
  readonly 'istio-namespace'?: string | undefined;
  readonly as?: string | undefined;
  readonly 'as-group'?: readonly string[] | undefined;
}

/** The target flags that a person typed, so that the commands we print reach the same mesh. */
export interface TypedTarget {
  /** `-w`, where a command has to repeat it. */
  readonly workDir?: string;
  /** What paths of the work directory are relative to; absent: the current directory is the work directory. */
  readonly directory?: string;
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly istioNamespace?: string;
  readonly as?: string;
  readonly asGroups?: readonly string[];
}

/** What a printed command has to repeat to reach the same mesh: flags, but not what the environment says anyway. */
export function typedTarget(
  flags: TargetFlags,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): TypedTarget {
  const workDir = flags['work-dir'];
  const isElsewhere = workDir !== undefined && workDir !== '.';
  return defined({
    directory: isElsewhere ? workDir : undefined,
    workDir: isElsewhere && workDir !== environment.WORK_DIR ? workDir : undefined,
    kubeconfig: flags.kubeconfig,
    context: flags.context,
    istioNamespace: flags['istio-namespace'],
    as: flags.as,
    asGroups: flags['as-group'],
  });
}
