/** The only way to read a cluster: it sends the requests of the table (domain/facts/requests.ts), each at most once, and no other. */
import pMap from 'p-map';
import {defined} from '../domain/defined.js';
import {asMeshError, MeshError} from '../domain/errors.js';
import {known, unknown, type Observed} from '../domain/observed.js';
import type {KubeObject} from '../domain/kube/object.js';
import type {MeshCluster} from '../domain/mesh/mesh.js';
import {requireContext} from '../domain/mesh/resolve.js';
import {everything, limitOn, type Limits} from '../domain/facts/limits.js';
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

/** The rows that are requests of this program; others are those of kubectl port-forward. */
export type RequestName = {
  [Name in ReadName]: (typeof reads)[Name] extends {readonly method: 'forward'} ? never : Name;
}[ReadName];

/** What the request of a row answers: an object, undefined where it is absent, or a list of objects. */
export type Answer<Name extends RequestName> = AnswerOf<(typeof reads)[Name]>;
type AnswerOf<Row> =
  Row extends ObjectRead<infer T, 'get'>
    ? T
    : Row extends ObjectRead<infer T, 'find'>
      ? T | undefined
      : Row extends ListRead<infer T>
        ? readonly T[]
        : unknown;

/** What facts are derived from: {@link ClusterReader}, or a part of it. */
export interface Reads {
  /** The answer to the request of a row. Throws what {@link KubeApi} throws. */
  read<Name extends RequestName>(name: Name, given?: Given): Promise<Answer<Name>>;
  /** Sends a request before anybody knows that it is needed: what comes of it counts only for who reads it. */
  prefetch(name: RequestName, given?: Given): void;
  /** Whether the user lets this be read. */
  allows(name: ReadName): boolean;
}

/** One cluster, as it is to be read. */
export interface ReaderTarget {
  readonly cluster: Pick<MeshCluster, 'name' | 'context' | 'role'>;
  readonly istioNamespace: string;
  /** Absent: everything may be read. */
  readonly limits?: Limits;
}

type SentRead = Exclude<Read, {readonly method: 'forward'}>;
type ObjectRow = Exclude<SentRead, {readonly method: 'raw'}>;

/** Reads one cluster. The session is opened at the first request. */
export class ClusterReader implements Reads {
  readonly #answers = new Map<string, Promise<unknown>>();
  /** Sent ahead of time, and read by nobody since. */
  readonly #prefetched = new Set<string>();
  readonly #refusedForwards: MeshError[] = [];
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
    return limitOn(name, this.target.limits ?? everything) === undefined;
  }

  async read<Name extends RequestName>(name: Name, given: Given = {}): Promise<Answer<Name>> {
    this.#prefetched.delete(keyOf(name, given));
    return (await this.#request(name, given)) as Answer<Name>;
  }

  prefetch(name: RequestName, given: Given = {}): void {
    const key = keyOf(name, given);
    if (this.#answers.has(key)) return;
    this.#prefetched.add(key);
    this.#request(name, given).catch(() => undefined);
  }

  /** Metadata of everything that Istio's installers label, in Istio's namespace and cluster-wide. */
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

  /** Ports of a pod of Istio's namespace, forwarded to this machine. The caller closes them. */
  async forward(pod: string, ports: readonly number[]): Promise<PortForward> {
    try {
      return await this.clusters.forward(requireContext(this.target.cluster), this.target.istioNamespace, pod, ports);
    } catch (thrown) {
      const error = asMeshError(thrown);
      if (error.code === 'FORBIDDEN') this.#refusedForwards.push(error);
      throw error;
    }
  }

  /** How many requests were allowed. Throws `FORBIDDEN` with every right that is missing. */
  async summary(): Promise<{readonly reads: number}> {
    const needed = [...this.#answers].filter(([key]) => !this.#prefetched.has(key));
    const answers = await Promise.allSettled(needed.map(([, answer]) => answer));
    const failures = answers.filter((answer) => answer.status === 'rejected').map(({reason}) => asMeshError(reason));
    const [first, ...others] = [...failures, ...this.#refusedForwards].filter(({code}) => code === 'FORBIDDEN');
    if (first) {
      throw new MeshError('FORBIDDEN', [first, ...others].map(({message}) => message).join('; '), {
        hints: first.hints,
      });
    }
    // Where nothing was answered, nothing was allowed either.
    if (failures[0] && failures.length === answers.length) throw failures[0];
    return {reads: answers.length - failures.length};
  }

  async #request(name: RequestName, given: Given): Promise<unknown> {
    const row: SentRead = reads[name];
    if (!this.allows(name)) throw new MeshError('INTERNAL', `${name} is read although the user does not want that`);
    return this.#memoized(keyOf(name, given), row, given);
  }

  #memoized(key: string, row: SentRead, given: Given): Promise<unknown> {
    const before = this.#answers.get(key);
    if (before) return before;
    const answer = this.#send(row, given).catch((thrown: unknown) => {
      throw asMeshError(thrown);
    });
    this.#answers.set(key, answer);
    return answer;
  }

  async #send(row: SentRead, given: Given): Promise<unknown> {
    const api = await this.open();
    if (row.method === 'raw') return api.raw(row.path);
    const {name = row.name, namespace = row.scope === 'Istio namespace' ? this.target.istioNamespace : undefined} =
      requireGivenByRow(row, given);
    const [apiVersion] = row.apiVersions;
    const place = {...(namespace !== undefined && {namespace})};
    if (row.method !== 'list') {
      if (name === undefined) throw new MeshError('INTERNAL', `no name was given for the ${row.kind} to read`);
      const ref = {apiVersion, kind: row.kind, name, ...place};
      return row.method === 'get' ? api.get(ref) : api.find(ref);
    }
    const fieldSelector = name === undefined ? row.fieldSelector : `metadata.name=${name}`;
    const labelSelector = given.labelSelector ?? row.labelSelector;
    return listNewest(
      api,
      row,
      defined({...place, fieldSelector, labelSelector, metadataOnly: row.metadataOnly === true ? true : undefined}),
    );
  }
}

/** In the newest version that the cluster serves. */
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

/** What the caller gives, which must be what the row leaves to it. */
function requireGivenByRow(row: ObjectRow, given: Given): Given {
  const own = row.given ?? [];
  const other = (Object.keys(given) as (keyof Given)[]).find((key) => !own.includes(key));
  if (other === undefined) return given;
  throw new MeshError('INTERNAL', `the table of requests does not leave ${other} of ${row.kind} to the caller`);
}

function keyOf(request: RequestName, {namespace = '', name, labelSelector = ''}: Given): string {
  const row: Read = reads[request];
  const object = name ?? (row.method === 'raw' ? '' : (row.name ?? ''));
  return [request, namespace, object, labelSelector].join(' ');
}

/** Reads several clusters, `concurrency` at a time, in their order. */
export function eachCluster<Cluster, T>(
  clusters: readonly Cluster[],
  concurrency: number,
  read: (cluster: Cluster) => Promise<T>,
): Promise<readonly T[]> {
  return pMap(clusters, read, {concurrency: Math.max(1, concurrency)});
}

/**
 * Asks for a fact and records the answer or the reason. One request that took too long is a reason like any other; what
 * ends the whole run (Ctrl-C, `--timeout`) and bugs are thrown on.
 */
export async function attempt<T>(signal: AbortSignal, ask: () => Promise<T>): Promise<Observed<T>> {
  try {
    return known(await ask());
  } catch (thrown) {
    signal.throwIfAborted();
    const error = asMeshError(thrown);
    if (error.class === 'interrupted' || error.class === 'bug') throw error;
    return unknown(error);
  }
}
