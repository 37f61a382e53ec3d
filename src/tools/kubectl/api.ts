import type {KubeconfigAddress} from '../../domain/discovery/api-server.js';
import type {TokenVerdict} from '../../domain/discovery/token.js';
import type {MeshError} from '../../domain/errors.js';
import type {KubeList, KubeObject, ObjectRef} from '../../domain/kube/object.js';
import type {ListOptions} from '../../domain/kube/responses.js';
import type {Sensitive} from '../../domain/sensitive.js';

/** What a token of a service account is requested for. */
export interface TokenSpec {
  /** Seconds; the API server may grant less (`--service-account-max-token-expiration`). */
  readonly expirationSeconds: number;
  /** The Secret in the service account's namespace whose deletion revokes the token. */
  readonly boundSecret?: {readonly name: string; readonly uid: string};
}

/** A token that an API server issued. */
export interface IssuedToken {
  readonly token: Sensitive<string>;
  /** As granted. */
  readonly expiresAt: Date;
}

/** `none`: a real write. `server`: the API server admits and validates it, but stores nothing (`dryRun=All`). */
export type WriteDryRun = 'none' | 'server';

/**
 * The API server of one cluster, through one kubectl process (docs/architecture.md). Every method throws a MeshError:
 * `UNREACHABLE`, `UNAUTHORIZED`, `FORBIDDEN` (the message names verb, resource and namespace), `NOT_FOUND`,
 * `CONFLICT` (409), `REJECTED` (400, 422, admission), `API_ERROR`, `TIMEOUT`, `INTERRUPTED`.
 */
export interface KubeApi {
  /** The kubeconfig context of this API server. */
  readonly context: string;
  /** GET of any path, for `/version`, subresources and reviews. */
  raw(path: string): Promise<unknown>;
  get<T extends KubeObject = KubeObject>(ref: ObjectRef): Promise<T>;
  /** Like get; undefined if the object (or its namespace) does not exist. */
  find<T extends KubeObject = KubeObject>(ref: ObjectRef): Promise<T | undefined>;
  /** All items, in chunks of at most 500 (limit/continue). */
  list<T extends KubeObject = KubeObject>(
    kind: {readonly apiVersion: string; readonly kind: string},
    options?: ListOptions,
  ): Promise<KubeList<T>>;
  /** POST; `CONFLICT` if the object already exists. Writes use fieldManager kubectl-mesh. */
  create<T extends KubeObject>(object: T, dryRun: WriteDryRun): Promise<T>;
  /** PUT of the whole object at `metadata.resourceVersion`; `CONFLICT` if that is not the current one. */
  replace<T extends KubeObject>(object: T, dryRun: WriteDryRun): Promise<T>;
  /** PATCH with a merge patch (object) or a JSON patch (array). */
  patch(ref: ObjectRef, patch: object, dryRun: WriteDryRun): Promise<KubeObject>;
  /** DELETE, only if uid and resourceVersion (if given) still match. */
  delete(
    ref: ObjectRef,
    preconditions: {readonly uid?: string; readonly resourceVersion?: string},
    dryRun: WriteDryRun,
  ): Promise<void>;
  /**
   * POST of a TokenRequest for a service account (`create serviceaccounts/token`). `NOT_FOUND` if the account or the bound Secret does
   * not exist.
   */
  requestToken(
    serviceAccount: {readonly namespace: string; readonly name: string},
    spec: TokenSpec,
  ): Promise<IssuedToken>;
  /** POST of a TokenReview (`create tokenreviews`), which stores nothing. */
  reviewToken(token: Sensitive<string>): Promise<TokenVerdict>;
  /**
   * The same API through a separate kubectl process that outlives an abort of the run, for a change that must not be
   * left half done; it can also be opened after the abort. Each request is still bounded by the request timeout. Throws what
   * opening a context throws.
   */
  detached(): Promise<KubeApi>;
}

/** Ports of one pod, forwarded to this process. */
export interface PortForward {
  /** The local port on 127.0.0.1 for each requested pod port. */
  readonly ports: ReadonlyMap<number, number>;
  close(): Promise<void>;
}

/** The clusters that a command may access. Sessions are opened once per context and closed by `close()`. */
export interface Clusters {
  /**
   * The API of one kubeconfig context. Throws `TOOL_MISSING`, `TOOL_TOO_OLD`, `KUBECONFIG_MISSING`, `CONTEXT_MISSING`,
   * `UNREACHABLE`, `UNAUTHORIZED`.
   */
  open(context: string): Promise<KubeApi>;
  /** The same through a kubectl process of its own that outlives an abort of the run, as {@link KubeApi.detached}. */
  openDetached(context: string): Promise<KubeApi>;
  /**
   * The error if the kubeconfig has contexts, but not this one; undefined if it has no contexts or kubectl is missing.
   * Does not access the cluster. Never throws.
   */
  missingContext(context: string): Promise<MeshError | undefined>;
  /**
   * The API server of a context, as the kubeconfig reaches it; does not access the cluster. Throws `TOOL_MISSING`,
   * `KUBECONFIG_MISSING`.
   */
  serverOf(context: string): Promise<KubeconfigAddress>;
  /** `kubectl port-forward` to a pod: an additional kubectl process, only to query running pods. */
  forward(context: string, namespace: string, pod: string, ports: readonly number[]): Promise<PortForward>;
  /** Stops every kubectl process that this object started. */
  close(): Promise<void>;
}
