/** This program's commands, with what is needed to suggest them. */

/** The flags that select the mesh and the user. A suggested command repeats them from the command line. */
export type TargetFlag = 'work-dir' | 'kubeconfig' | 'context' | 'istio-namespace' | 'as';

const files = ['work-dir'] as const;
const clusters = ['work-dir', 'kubeconfig', 'context', 'istio-namespace', 'as'] as const;

/**
 * Every command of the program: the current run's flags that it needs to reach the same mesh, and whether it changes the
 * work directory or a cluster. A test compares the table with the manifest. Add a new command here.
 */
export const meshCommands = {
  init: {flags: files, changes: true},
  up: {flags: clusters, changes: true},
  verify: {flags: clusters, changes: false},
  'access role': {flags: ['work-dir', 'istio-namespace'], changes: false},
  'access show': {flags: clusters, changes: false},
  'certs adopt': {flags: ['work-dir', 'kubeconfig', 'istio-namespace', 'as'], changes: true},
  // With a signer in a cluster it also uses --kubeconfig and --as, but that cluster is rarely the one of the current run.
  'certs generate': {flags: files, changes: true},
  'certs import': {flags: files, changes: true},
  'certs inspect': {flags: files, changes: false},
  // The other flags require --live.
  'certs list': {flags: files, changes: false},
  'certs passphrase': {flags: files, changes: true},
  'certs request': {flags: files, changes: true},
  'certs rewrite': {flags: files, changes: true},
  'certs workload': {flags: files, changes: true},
  'install apply': {flags: clusters, changes: true},
  // It reads no cluster, so only the flags whose values it can record.
  'install render': {flags: ['work-dir', 'context', 'istio-namespace'], changes: true},
  'journal show': {flags: files, changes: false},
  'journal verify': {flags: clusters, changes: false},
  link: {flags: clusters, changes: true},
  'monitor rules': {flags: files, changes: false},
  unlink: {flags: clusters, changes: true},
  'trust diff': {flags: clusters, changes: false},
  'trust push': {flags: clusters, changes: true},
  'trust rollback': {flags: clusters, changes: true},
  'trust rotate cluster-ca': {flags: clusters, changes: true},
} as const satisfies Readonly<Record<string, {readonly flags: readonly TargetFlag[]; readonly changes: boolean}>>;

/** A command without the program's name: `trust push`. */
export type MeshCommand = keyof typeof meshCommands;
