import type {MeshCluster} from '../mesh/mesh.js';

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
}

/** Spells commands for fixes: they can be typed as they are, in the shell the check was run from. */
export interface Commands {
  /** `kubectl mesh WORDS`, with the work directory and kubeconfig of this run. */
  mesh(words: string): string;
  /** The same for a command that talks to clusters. */
  meshCluster(words: string): string;
  /** `kubectl --context … WORDS`; the cluster's context, or `CONTEXT` where none is known. */
  kubectl(cluster: MeshCluster, words: string): string;
  /** A path of the work directory, as a shell word. */
  path(path: string): string;
}

/** A word as a POSIX shell must be given it. */
export function shellWord(word: string): string {
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** Commands for what was typed. */
export function commandsFor(typed: TypedTarget): Commands {
  const flag = (name: string, value: string | undefined): string =>
    value === undefined ? '' : ` ${name} ${shellWord(value)}`;
  const directory = flag('-w', typed.workDir);
  const cluster = flag('--kubeconfig', typed.kubeconfig) + flag('--context', typed.context);
  const rest = flag('-n', typed.istioNamespace) + flag('--as', typed.as);
  return {
    mesh: (words) => `kubectl mesh ${words}${directory}`,
    meshCluster: (words) => `kubectl mesh ${words}${directory}${cluster}${rest}`,
    kubectl: ({context}, words) =>
      `kubectl${flag('--kubeconfig', typed.kubeconfig)} --context ${shellWord(context ?? 'CONTEXT')}${flag('--as', typed.as)} ${words}`,
    path: (path) => {
      const base = typed.directory?.replace(/\/+$/, '');
      return shellWord(base === undefined ? path : `${base}/${path}`);
    },
  };
}
