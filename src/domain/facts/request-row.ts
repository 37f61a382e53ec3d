/** What a row of the table of requests (requests.ts) states about a request. */
import type {KubeObject} from '../kube/object.js';
import type {NamedCluster} from '../mesh/istio-name.js';

/** The scope of the objects: Istio's namespace, the whole cluster, or a namespace known only at run time. */
export type ReadScope = 'Istio namespace' | 'cluster' | 'given namespace';

/** The fields of every row. */
export interface ReadRow {
  /** If there are several: the newest that the cluster serves. */
  readonly apiVersions: readonly [string, ...string[]];
  readonly kind: string;
  readonly scope: ReadScope;
  /** Only the object of this name. */
  readonly name?: string;
  /** The fields that the caller provides at run time; a given `name` replaces the row's. */
  readonly given?: readonly (keyof Given)[];
  /** The meshes in which verify sends it, in words; absent: every mesh. */
  readonly when?: string;
  /** Sent by verify only with this flag. */
  readonly onRequest?: '--access';
  /** No role grants it: its name is known only at run time, and without a name it would include all Secrets. */
  readonly isGrantedByName?: true;
  /** Replaces many requests of another row where the user may send it. No role grants it, and its failure shows nothing. */
  readonly isShortcut?: true;
  /** Its objects are large, many, and read once: the response is not kept. */
  readonly isReadOnce?: true;
  /** Sent for each cluster of mesh.yaml, for an object whose name contains the cluster's: a role grants these names. */
  readonly nameOf?: (cluster: NamedCluster) => string;
}

/** The fields that a caller can provide. */
export interface Given {
  readonly namespace?: string;
  readonly name?: string;
  readonly labelSelector?: string;
}

/** GET of one object: `get` if it always exists, `find` if it may be absent. */
export interface ObjectRead<T extends KubeObject, Method extends 'get' | 'find' = 'get' | 'find'> extends ReadRow {
  readonly method: Method;
  /** For the type only. */
  readonly object?: T;
}

/** GET of a collection. */
export interface ListRead<T extends KubeObject> extends ReadRow {
  readonly method: 'list';
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  readonly metadataOnly?: true;
  /** Some clusters do not serve the kind; the list is then empty. */
  readonly optionalKind?: true;
  readonly object?: T;
}

/** GET of a non-resource path, which every authenticated user can read. */
export interface RawRead {
  readonly method: 'raw';
  readonly path: string;
}

/** A request that `kubectl port-forward` sends. */
export interface ForwardRead extends ReadRow {
  readonly method: 'forward';
  readonly verb: 'get' | 'create';
  readonly subresource?: string;
}

/** POST of a review, which stores nothing. */
export interface ReviewRead extends ReadRow {
  readonly method: 'review';
}

/** One row. */
export type Read = ObjectRead<KubeObject> | ListRead<KubeObject> | RawRead | ForwardRead | ReviewRead;
