import type {MeshCluster} from '../mesh/mesh.js';
import {printable} from '../printable.js';

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

/** Spells commands for fixes and hints: they can be typed as they are, in the shell the check was run from. */
export interface Commands {
  /** `kubectl mesh WORDS`, with the work directory and kubeconfig of this run. */
  mesh(words: string): string;
  /** The same for a command that talks to clusters. */
  meshCluster(words: string): string;
  /** `kubectl --context … WORDS`; the cluster's context, or `CONTEXT` where none is known. */
  kubectl(cluster: MeshCluster, words: string): string;
  /** `kubectl WORDS` without a context, for words that name one themselves or need none. */
  kubectlAnywhere(words: string): string;
  /** `istioctl --context … WORDS`, of the same cluster. */
  istioctl(cluster: MeshCluster, words: string): string;
  /** `cmctl --context … WORDS`: cert-manager's command line. */
  cmctl(cluster: MeshCluster, words: string): string;
  /** A text in which commands are spelled without these flags: with them. */
  complete(text: string): string;
  /** A path of the work directory, as a shell word. */
  path(path: string): string;
}

/** A word as a POSIX shell must be given it. */
export function shellWord(word: string): string {
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/**
 * A path as a shell word that can be printed, too: what no terminal shows stands as a wildcard, and a dash at the beginning
 * begins no option.
 */
function pathWord(path: string): string {
  const own = path.startsWith('-') ? `./${path}` : path;
  const isHidden = (char: string): boolean => char === '\n' || char === '\t' || printable(char) === '';
  const chars = Array.from(own);
  if (!chars.some(isHidden)) return shellWord(own);
  const shown = chars.map((char) => (isHidden(char) ? '\n' : char)).join('');
  return shown
    .split(/\n+/)
    .map((part) => (part === '' ? '' : shellWord(part)))
    .join('*');
}

/** Commands as they stand in texts: those about files alone, then those that talk to clusters. */
const spelled =
  /\bkubectl mesh (?:(init|journal show|certs (?:generate|request|import|adopt|list|inspect|passphrase|workload))|(access show|trust (?:push|diff|rollback)|install (?:render|apply)|journal verify|verify|up))(?![\w-])/g;

/** kubectl's own commands as they stand in hints, which know the context and nothing else of what was typed. */
const bareKubectl = /\bkubectl (?=--context |auth |config )/g;

/** Commands for what was typed. */
export function commandsFor(typed: TypedTarget): Commands {
  const flag = (name: string, value: string | undefined): string =>
    value === undefined ? '' : ` ${name} ${shellWord(value)}`;
  const directory = flag('-w', typed.workDir);
  const [kubeconfig, context, namespace, as] = [
    flag('--kubeconfig', typed.kubeconfig),
    flag('--context', typed.context),
    flag('-n', typed.istioNamespace),
    flag('--as', typed.as) + (typed.asGroups ?? []).map((group) => flag('--as-group', group)).join(''),
  ];
  const mesh = (words: string): string => `kubectl mesh ${words}${directory}`;
  const meshCluster = (words: string): string =>
    // It reads no cluster: it takes what it can record.
    words.startsWith('install render')
      ? `${mesh(words)}${context}${namespace}`
      : `${mesh(words)}${kubeconfig}${context}${namespace}${as}`;
  return {
    mesh,
    meshCluster,
    kubectl: ({context: own}, words) => `kubectl${kubeconfig}${as} --context ${shellWord(own ?? 'CONTEXT')} ${words}`,
    kubectlAnywhere: (words) => `kubectl${kubeconfig}${as} ${words}`,
    istioctl: ({context: own}, words) => `istioctl${kubeconfig} --context ${shellWord(own ?? 'CONTEXT')}${as} ${words}`,
    cmctl: ({context: own}, words) => `cmctl${kubeconfig} --context ${shellWord(own ?? 'CONTEXT')}${as} ${words}`,
    complete: (text) =>
      text
        .replace(spelled, (_, files: string | undefined, clusters: string | undefined) =>
          files === undefined ? meshCluster(clusters ?? '') : mesh(files),
        )
        .replace(bareKubectl, () => `kubectl${kubeconfig}${as} `),
    path: (path) => {
      const base = typed.directory?.replace(/\/+$/, '');
      return pathWord(base === undefined ? path : `${base}/${path}`);
    },
  };
}
