import type {ActionKind} from '../action.js';
import type {Effect} from '../effect.js';

/**
 * One line for each kind of action. Effects are loaded at first use, so that a command that only talks to clusters does
 * not load the certificate codec.
 */
export const effects: {readonly [Kind in ActionKind]: () => Promise<Effect<Kind>>} = {
  'write-files': async () => (await import('./write-files.js')).effect,
  'remove-files': async () => (await import('./remove-files.js')).effect,
  'create-root-ca': async () => (await import('./create-root-ca.js')).effect,
  'reseal-root-key': async () => (await import('./reseal-root-key.js')).effect,
  'issue-cluster-ca': async () => (await import('./issue-cluster-ca.js')).effect,
  'request-cluster-ca': async () => (await import('./request-cluster-ca.js')).effect,
  'import-cluster-ca': async () => (await import('./import-cluster-ca.js')).effect,
  'issue-workload': async () => (await import('./issue-workload.js')).effect,
  'put-object': async () => (await import('./put-object.js')).effect,
  'patch-object': async () => (await import('./patch-object.js')).effect,
  'delete-object': async () => (await import('./delete-object.js')).effect,
  'replace-object': async () => (await import('./replace-object.js')).effect,
  'run-istioctl': async () => (await import('./run-istioctl.js')).effect,
  'restart-workload': async () => (await import('./restart-workload.js')).effect,
  'await-bundle': async () => (await import('./await-bundle.js')).effect,
};
