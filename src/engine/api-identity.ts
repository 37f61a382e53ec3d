/** Who each cluster's API server says that we are: for the journal, asked at most once per cluster and run. */
import {memoizeByKey} from '../domain/memoize.js';
import {defined} from '../domain/defined.js';
import {asMeshError} from '../domain/errors.js';
import type {ApiIdentity} from '../domain/journal/entry.js';
import type {KubeObject} from '../domain/kube/object.js';
import {printableLine} from '../domain/printable.js';
import type {Clusters} from '../tools/kubectl/api.js';

/** Answers for a kubeconfig context; undefined where the API server does not say. */
export type IdentityReader = (context: string) => Promise<ApiIdentity | undefined>;

/** Longer than any name that a person or a service account has, short enough for a line of the journal. Characters. */
const longestName = 1024;

interface SelfSubjectReview extends KubeObject {
  readonly status?: {readonly userInfo?: {readonly username?: unknown; readonly uid?: unknown}};
}

/**
 * A SelfSubjectReview, as `kubectl auth whoami` sends it: allowed to every authenticated user (ClusterRole
 * system:basic-user), served as v1 since Kubernetes 1.28 (kubernetes.io: reference/access-authn-authz/authentication, "API
 * access to authentication information for a client"). Where it is not served, or fails, the change goes on without a
 * name: only an abort is thrown.
 */
export function createIdentityReader(clusters: Pick<Clusters, 'open'>): IdentityReader {
  return memoizeByKey(async (context: string): Promise<ApiIdentity | undefined> => {
    try {
      const api = await clusters.open(context);
      // Nothing is stored by it, so it needs no name; the API server gives it none either.
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
  const said = (text: unknown): string | undefined =>
    typeof text === 'string' && text !== '' ? printableLine(text).slice(0, longestName) : undefined;
  const username = said(status?.userInfo?.username);
  return username === undefined ? undefined : defined({username, uid: said(status?.userInfo?.uid)});
}
