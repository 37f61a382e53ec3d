/** The flags of this run that select the mesh, which suggested commands must repeat. */
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

/** The target flags as typed, so that printed commands select the same mesh. */
export interface TypedTarget {
  /** `-w`, if commands must repeat it. */
  readonly workDir?: string;
  /** The work directory, as a prefix of its paths; absent if it is the current directory. */
  readonly directory?: string;
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly istioNamespace?: string;
  readonly as?: string;
  readonly asGroups?: readonly string[];
}

/** The flags that a printed command must repeat to select the same mesh, except those that the environment sets. */
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
