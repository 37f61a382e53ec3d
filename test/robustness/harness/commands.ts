/** Every command with its smallest run that does all it does: the rows of the fault tables. */
import {readdirSync} from 'node:fs';
import {join} from 'node:path';
import {root} from '../../smoke/program.js';

/** A command of the built program. */
export interface CommandRow {
  /** Its arguments for one cluster. */
  readonly words: (cluster: string) => readonly string[];
  /** Writes into the work directory, at least when there is something to write. */
  readonly writes: boolean;
  /** Programs it cannot do without. */
  readonly tools: readonly ('kubectl' | 'istioctl')[];
  /** Reads mesh.yaml. */
  readonly declared: boolean;
  /** Its words are kubeconfig contexts, and what mesh.yaml says of contexts does not matter to it. */
  readonly takesContexts?: boolean;
  /** Its names may also be Istio's, which may be any key of a Secret. */
  readonly takesIstioNames?: boolean;
}

/** A command without a row fails a test: see registry.test.ts. */
export const commands: Readonly<Record<string, CommandRow>> = {
  init: {words: (name) => ['init', name], writes: true, tools: [], declared: true},
  'certs generate': {
    words: (name) => ['certs', 'generate', name, '--key-algorithm', 'ecdsa-p256'],
    writes: true,
    tools: [],
    declared: true,
  },
  'certs request': {
    words: (name) => ['certs', 'request', name, '--key-algorithm', 'ecdsa-p256'],
    writes: true,
    tools: [],
    declared: true,
  },
  'certs import': {
    words: (name) => ['certs', 'import', name, 'root-cert.pem'],
    writes: true,
    tools: [],
    declared: true,
  },
  'certs list': {words: (name) => ['certs', 'list', name], writes: false, tools: [], declared: true},
  // It takes no cluster: a name is wrong usage.
  'monitor rules': {words: () => ['monitor', 'rules'], writes: false, tools: [], declared: true},
  'certs passphrase': {
    words: () => ['certs', 'passphrase', '--new-passphrase-command', 'echo another'],
    writes: true,
    tools: [],
    declared: true,
  },
  'certs rewrite': {words: (name) => ['certs', 'rewrite', name], writes: true, tools: [], declared: true},
  'certs workload': {
    words: (name) => ['certs', 'workload', '--cluster', name, 'shop/cart'],
    writes: true,
    tools: [],
    declared: true,
  },
  'certs inspect': {words: (name) => ['certs', 'inspect', name], writes: false, tools: [], declared: false},
  'certs adopt': {
    words: (name) => ['certs', 'adopt', `${name}=ctx-${name}`],
    writes: true,
    tools: ['kubectl'],
    declared: true,
    takesContexts: true,
  },
  'trust push': {words: (name) => ['trust', 'push', name], writes: true, tools: ['kubectl'], declared: true},
  'trust diff': {words: (name) => ['trust', 'diff', name], writes: false, tools: ['kubectl'], declared: true},
  'trust rollback': {
    words: (name) => ['trust', 'rollback', name, '--yes'],
    writes: true,
    tools: ['kubectl'],
    declared: true,
  },
  'trust rotate cluster-ca': {
    words: (name) => ['trust', 'rotate', 'cluster-ca', name, '--yes'],
    writes: true,
    tools: ['kubectl'],
    declared: true,
  },
  'install render': {words: (name) => ['install', 'render', name], writes: true, tools: ['istioctl'], declared: true},
  'install apply': {
    words: (name) => ['install', 'apply', name],
    writes: true,
    tools: ['kubectl', 'istioctl'],
    declared: true,
  },
  link: {words: (name) => ['link', name], writes: true, tools: ['kubectl'], declared: true},
  unlink: {
    words: (name) => ['unlink', name, '--yes'],
    writes: true,
    tools: ['kubectl'],
    declared: true,
    takesIstioNames: true,
  },
  'journal show': {words: (name) => ['journal', 'show', name], writes: false, tools: [], declared: false},
  'journal verify': {words: (name) => ['journal', 'verify', name], writes: false, tools: ['kubectl'], declared: true},
  'access show': {words: (name) => ['access', 'show', name], writes: false, tools: ['kubectl'], declared: true},
  // It takes no cluster: a name is one word too many.
  'access role': {words: () => ['access', 'role'], writes: false, tools: [], declared: true},
  verify: {words: (name) => ['verify', name], writes: false, tools: ['kubectl'], declared: true},
  up: {
    words: (name) => ['up', name, '--key-algorithm', 'ecdsa-p256'],
    writes: true,
    tools: ['kubectl', 'istioctl'],
    declared: true,
  },
};

/** The commands of the build, as the manifest is made from them. */
export function builtCommands(): readonly string[] {
  return readdirSync(join(root, 'dist/commands'), {recursive: true, encoding: 'utf8'})
    .filter((file) => file.endsWith('.js'))
    .map((file) => file.replace(/\.js$/, '').replaceAll('/', ' '))
    .sort();
}

/** Rows as a test table: name and row. */
export function rows(select: (row: CommandRow) => boolean = () => true): readonly (readonly [string, CommandRow])[] {
  return Object.entries(commands).filter(([, row]) => select(row));
}
