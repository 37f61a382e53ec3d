/** The only way to read a cluster: sends only the requests of domain/facts/requests.ts, each at most once. */
import pMap from 'p-map';
import {defined} from '../domain/defined.js';
import {asMeshError, MeshError} from '../domain/errors.js';
import {known, unknown, type Observed} from '../domain/observed.js';
import type {TokenVerdict} from '../domain/discovery/token.js';
import type {KubeObject, ObjectRef} from '../domain/kube/object.js';
import type {MeshCluster} from '../domain/mesh/mesh.js';
import {requireContext} from '../domain/mesh/resolve.js';
import type {Sensitive} from '../domain/sensitive.js';
import {noLimits, limitOn, type Limits} from '../domain/facts/limits.js';
import {
  installedReads,
  reads,
  type Given,
  type ListRead,
  type ObjectRead,
  type Read,
  type ReadName,
} from '../domain/facts/requests.js';
import type {Deps} from '../engine/deps.js';
import type {KubeApi, PortForward} from '../tools/kubectl/api.js';

/** Precedes the number of a token in the key of its review. */
const reviewKey = 'tokenReview ';

/** In place of a response that is not kept. */
const notKept: Promise<unknown> = Promise.resolve();

/** The rows of requests that return objects; kubectl port-forward and {@link Reads.reviewToken} send the others. */
export type RequestName = {
  [Name in ReadName]: (typeof reads)[Name] extends {readonly method: 'forward' | 'review'} ? never : Name;
}[ReadName];

/** The response to a row's request: an object, undefined if it is absent, or a list of objects. */
export type ReadResult<Name extends RequestName> = AnswerOf<(typeof reads)[Name]>;
type AnswerOf<Row> =
  Row extends ObjectRead<infer T, 'get'>
    ? T
    : Row extends ObjectRead<infer T, 'find'>
      ? T | undefined
      : Row extends ListRead<infer T>
        ? readonly T[]
        : unknown;

/** The requests from which facts are derived: {@link ClusterReader}, or a part of it. */
export interface Reads {
  /** Returns the response to a row's request. Throws what {@link KubeApi} throws. */
  read<Name extends RequestName>(name: Name, given?: Given): Promise<ReadResult<Name>>;
  /** Sends a TokenReview. Throws what {@link KubeApi} throws. */
  reviewToken(token: Sensitive<string>): Promise<TokenVerdict>;
  /** Sends a request before it is known to be needed; failures are ignored unless the response is read. */
  prefetch(name: RequestName, given?: Given): void;
  /** Whether the user's flags permit this request. */
  allows(name: ReadName): boolean;
}

/** The cluster to read. */
export interface ReaderTarget {
  readonly cluster: Pick<MeshCluster, 'name' | 'context' | 'role'>;
  readonly istioNamespace: string;
  /** Absent: all requests are permitted. */
  readonly limits?: Limits;
}

type SentRead = Exclude<Read, {readonly method: 'forward' | 'review'}>;
type ObjectRow = Exclude<SentRead, {readonly method: 'raw'}>;

/** Reads one cluster. The session is opened at the first request. */
export class ClusterReader implements Reads {
  readonly #answers = new Map<string, Promise<unknown>>();
  /** Not needed: prefetched and not read since, or shortcuts that failed. */
  readonly #dispensable = new Set<string>();
  readonly #refusedForwards: MeshError[] = [];
  #reviews = 0;
  #api: Promise<KubeApi> | undefined;

  constructor(
    private readonly clusters: Deps['clusters'],
    private readonly target: ReaderTarget,
  ) {}

  /** Throws `NO_CONTEXT`, and what opening a context throws. */
  async open(): Promise<KubeApi> {
    const context = requireContext(this.target.cluster);
    return (this.#api ??= this.clusters.open(context));
  }

  allows(name: ReadName): boolean {
    return limitOn(name, this.target.limits ?? noLimits) === undefined;
  }

  async read<Name extends RequestName>(name: Name, given: Given = {}): Promise<ReadResult<Name>> {
    this.#dispensable.delete(keyOf(name, given));
    return (await this.#request(name, given)) as ReadResult<Name>;
  }

  prefetch(name: RequestName, given: Given = {}): void {
    const key = keyOf(name, given);
    if (this.#answers.has(key)) return;
    this.#dispensable.add(key);
    this.#request(name, given).catch(() => undefined);
  }

  async reviewToken(token: Sensitive<string>): Promise<TokenVerdict> {
    if (!this.allows('tokenReview')) throw new MeshError('INTERNAL', 'a token is reviewed although a flag excludes it');
    this.#reviews += 1;
    const review = async (): Promise<TokenVerdict> => (await this.open()).reviewToken(token);
    return (await this.#answered(`${reviewKey}${String(this.#reviews)}`, review, reviewKey)) as TokenVerdict;
  }

  /** The metadata of all objects that Istio's installers label, in Istio's namespace and cluster-wide. */
  async readInstalled(): Promise<readonly KubeObject[]> {
    const lists = await Promise.all(
      installedReads.map(async (row, index) => {
        const items = (await this.#memoized(`installed ${String(index)}`, row, {})) as readonly KubeObject[];
        const [apiVersion] = row.apiVersions;
        return items.map(({metadata}): KubeObject => ({apiVersion, kind: row.kind, metadata}));
      }),
    );
    return lists.flat();
  }

  /** Forwards ports of a pod in Istio's namespace. The caller closes them. */
  async forward(pod: string, ports: readonly number[]): Promise<PortForward> {
    try {
      return await this.clusters.forward(requireContext(this.target.cluster), this.target.istioNamespace, pod, ports);
    } catch (thrown) {
      const error = asMeshError(thrown);
      if (error.code === 'FORBIDDEN') this.#refusedForwards.push(error);
      throw error;
    }
  }

  /** Returns how many requests succeeded. Throws `FORBIDDEN` with every missing permission. */
  async summary(): Promise<{readonly reads: number}> {
    const needed = [...this.#answers].filter(([key]) => !this.#dispensable.has(key));
    const answers = await Promise.allSettled(needed.map(([, answer]) => answer));
    const failures = answers.filter((answer) => answer.status === 'rejected').map(({reason}) => asMeshError(reason));
    const [first, ...others] = [...failures, ...this.#refusedForwards].filter(({code}) => code === 'FORBIDDEN');
    if (first) {
      throw new MeshError('FORBIDDEN', [first, ...others].map(({message}) => message).join('; '), {
        hints: first.hints,
      });
    }
    // If all requests failed, nothing is known about permissions.
    if (failures[0] && failures.length === answers.length) throw failures[0];
    // How many tokens are reviewed depends on what the other clusters hold.
    const reads = needed.filter(([key], index) => !key.startsWith(reviewKey) && answers[index]?.status === 'fulfilled');
    return {reads: reads.length};
  }

  async #request(name: RequestName, given: Given): Promise<unknown> {
    const row: SentRead = reads[name];
    if (!this.allows(name)) throw new MeshError('INTERNAL', `${name} is read although a flag excludes it`);
    const key = keyOf(name, given);
    const answer = this.#memoized(key, row, given);
    if (row.method !== 'raw' && row.isShortcut === true) answer.catch(() => this.#dispensable.add(key));
    return answer;
  }

  #memoized(key: string, row: SentRead, given: Given): Promise<unknown> {
    const kept = this.#answers.get(key);
    if (kept === notKept) throw new MeshError('INTERNAL', `the response to ${key} is read again`);
    const isReadOnce = row.method !== 'raw' && row.isReadOnce === true;
    return kept ?? this.#answered(key, () => this.#send(row, given), isReadOnce ? key : undefined);
  }

  /** Sends a request and keeps its answer, or under `doneKey` only that it succeeded. */
  #answered(key: string, send: () => Promise<unknown>, doneKey?: string): Promise<unknown> {
    const answer = send().catch((thrown: unknown) => {
      throw asMeshError(thrown);
    });
    this.#answers.set(key, answer);
    if (doneKey !== undefined) {
      const forget = (): void => {
        this.#answers.delete(key);
        this.#answers.set(doneKey, notKept);
      };
      answer.then(forget, () => undefined);
    }
    return answer;
  }

  async #send(row: SentRead, given: Given): Promise<unknown> {
    const api = await this.open();
    if (row.method === 'raw') return api.raw(row.path);
    const {name = row.name, namespace = row.scope === 'Istio namespace' ? this.target.istioNamespace : undefined} =
      requireGivenByRow(row, given);
    const [apiVersion] = row.apiVersions;
    const scope = {...(namespace !== undefined && {namespace})};
    if (row.method !== 'list') {
      if (name === undefined) throw new MeshError('INTERNAL', `the request for ${row.kind} requires a name`);
      if (row.method === 'get') return api.get({apiVersion, kind: row.kind, name, ...scope});
      return findNewest(
        api,
        row.apiVersions.map((version) => ({apiVersion: version, kind: row.kind, name, ...scope})),
      );
    }
    const fieldSelector = name === undefined ? row.fieldSelector : `metadata.name=${name}`;
    const labelSelector = given.labelSelector ?? row.labelSelector;
    return listNewest(
      api,
      row,
      defined({...scope, fieldSelector, labelSelector, metadataOnly: row.metadataOnly === true ? true : undefined}),
    );
  }
}

/** Finds an object in the newest version that the cluster serves: others have no valid response. */
async function findNewest(api: KubeApi, refs: readonly ObjectRef[]): Promise<KubeObject | undefined> {
  for (const [index, ref] of refs.entries()) {
    try {
      return await api.find(ref);
    } catch (thrown) {
      if (asMeshError(thrown).code !== 'API_ERROR' || index === refs.length - 1) throw thrown;
    }
  }
  return undefined;
}

/** Lists objects in the newest version that the cluster serves. */
async function listNewest(
  api: KubeApi,
  {apiVersions, kind, optionalKind}: ListRead<KubeObject>,
  options: Parameters<KubeApi['list']>[1],
): Promise<readonly KubeObject[]> {
  for (const [index, apiVersion] of apiVersions.entries()) {
    try {
      return (await api.list({apiVersion, kind}, options)).items;
    } catch (thrown) {
      const isLast = index === apiVersions.length - 1;
      if (asMeshError(thrown).code !== 'NOT_FOUND' || (isLast && optionalKind !== true)) throw thrown;
    }
  }
  return [];
}

/** Returns the caller's parameters; the row must permit them. */
function requireGivenByRow(row: ObjectRow, given: Given): Given {
  const permitted = row.given ?? [];
  const other = (Object.keys(given) as (keyof Given)[]).find((key) => !permitted.includes(key));
  if (other === undefined) return given;
  throw new MeshError('INTERNAL', `the table of requests does not let the caller set ${other} of ${row.kind}`);
}

function keyOf(request: RequestName, {namespace = '', name, labelSelector = ''}: Given): string {
  const row: Read = reads[request];
  const object = name ?? (row.method === 'raw' ? '' : (row.name ?? ''));
  return [request, namespace, object, labelSelector].join(' ');
}

/** Requests of one kind, such as one for each other cluster, that are sent to a cluster at the same time. */
export const atOnce = 10;

/** Reads several clusters, `concurrency` at a time; the results keep their order. */
export function eachCluster<Cluster, T>(
  clusters: readonly Cluster[],
  concurrency: number,
  read: (cluster: Cluster) => Promise<T>,
): Promise<readonly T[]> {
  return pMap(clusters, read, {concurrency: Math.max(1, concurrency)});
}

/**
 * Reads a fact and returns its value, or the reason why it is unknown. A request timeout is such a reason; an abort of
 * the run (Ctrl-C, `--timeout`) and bugs are rethrown.
 */
export async function attempt<T>(signal: AbortSignal, read: () => Promise<T>): Promise<Observed<T>> {
  try {
    return known(await read());
  } catch (thrown) {
    signal.throwIfAborted();
    const error = asMeshError(thrown);
    if (error.class === 'interrupted' || error.class === 'bug') throw error;
    return unknown(error);
  }
}
