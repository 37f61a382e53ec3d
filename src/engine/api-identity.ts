/** The identity under which each API server authenticates this program: for the journal, at most one request per run. */
import {memoizeByKey} from '../domain/memoize.js';
import {defined} from '../domain/defined.js';
import {asMeshError} from '../domain/errors.js';
import type {ApiIdentity} from '../domain/journal/entry.js';
import type {SelfSubjectReview} from '../domain/kube/objects.js';
import {printableLine} from '../domain/printable.js';
import type {Clusters} from '../tools/kubectl/api.js';

/** Returns the identity for a kubeconfig context; undefined if the API server does not report it. */
export type IdentityReader = (context: string) => Promise<ApiIdentity | undefined>;

/** Longer than any user or service account name, short enough for a journal line. Characters. */
const maxNameLength = 1024;

/**
 * Sends a SelfSubjectReview, as `kubectl auth whoami` does. Every authenticated user may send it (ClusterRole
 * system:basic-user); it is served as v1 since Kubernetes 1.28 (kubernetes.io:
 * reference/access-authn-authz/authentication, "API access to authentication information for a client"). If it is not
 * served, or fails, the change continues without an identity; only an abort is thrown.
 */
export function createIdentityReader(clusters: Pick<Clusters, 'open'>): IdentityReader {
  return memoizeByKey(async (context: string): Promise<ApiIdentity | undefined> => {
    try {
      const api = await clusters.open(context);
      // A review is not stored, so it has no name.
      const review = {apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview', metadata: {name: ''}};
      return identityOf(await api.create<SelfSubjectReview>(review, 'none'));
    } catch (thrown) {
      const error = asMeshError(thrown);
      if (error.class === 'interrupted' || error.class === 'timeout') throw error;
      return undefined;
    }
  });
}

function identityOf({status}: SelfSubjectReview): ApiIdentity | undefined {
  const line = (text = ''): string | undefined =>
    text !== '' ? printableLine(text).slice(0, maxNameLength) : undefined;
  const username = line(status?.userInfo?.username);
  return username === undefined ? undefined : defined({username, uid: line(status?.userInfo?.uid)});
}
