/** The commands of this program, as far as suggesting one needs to know them. */

/** The flags that say which mesh, and as whom: those that a suggested command repeats from the command line. */
export type TargetFlag = 'work-dir' | 'kubeconfig' | 'context' | 'istio-namespace' | 'as';

const files = ['work-dir'] as const;
const clusters = ['work-dir', 'kubeconfig', 'context', 'istio-namespace', 'as'] as const;

/**
 * Every command of the program: the flags of the run that it needs, too, to reach the same mesh, and whether it changes the
 * work directory or a cluster. A test compares the table with the manifest; a new command is a line here.
 */
export const meshCommands = {
  init: {flags: files, changes: true},
  up: {flags: clusters, changes: true},
  verify: {flags: clusters, changes: false},
  'access role': {flags: ['work-dir', 'istio-namespace'], changes: false},
  'access show': {flags: clusters, changes: false},
  'certs adopt': {flags: ['work-dir', 'kubeconfig', 'istio-namespace', 'as'], changes: true},
  // With a signer in a cluster it takes --kubeconfig and --as as well; that cluster is seldom the one of this run.
  'certs generate': {flags: files, changes: true},
  'certs import': {flags: files, changes: true},
  'certs inspect': {flags: files, changes: false},
  // The other flags are for --live only.
  'certs list': {flags: files, changes: false},
  'certs passphrase': {flags: files, changes: true},
  'certs request': {flags: files, changes: true},
  'certs workload': {flags: files, changes: true},
  'install apply': {flags: clusters, changes: true},
  // It reads no cluster: it takes what it can record.
  'install render': {flags: ['work-dir', 'context', 'istio-namespace'], changes: true},
  'journal show': {flags: files, changes: false},
  'journal verify': {flags: clusters, changes: false},
  'monitor rules': {flags: files, changes: false},
  'trust diff': {flags: clusters, changes: false},
  'trust push': {flags: clusters, changes: true},
  'trust rollback': {flags: clusters, changes: true},
} as const satisfies Readonly<Record<string, {readonly flags: readonly TargetFlag[]; readonly changes: boolean}>>;

/** A command without the name of the program: `trust push`. */
export type MeshCommand = keyof typeof meshCommands;
