import type {WatchedObjects} from '../../../domain/facts/watched.js';
import {asMeshError, type ErrorCode} from '../../../domain/errors.js';
import type {KubeApi, ListOptions, WatchEvent} from '../../../tools/kubectl/api.js';
import type {Bell} from './bell.js';
import type {Gate} from './gate.js';

/** What is not allowed, or not served, stays so: asking for it again would only be noise. */
const refusals: readonly ErrorCode[] = ['FORBIDDEN', 'NOT_FOUND'];

/**
 * The holder of an old istiod's lease writes itself into this annotation of a ConfigMap every two seconds
 * (k8s.io/client-go tools/leaderelection/resourcelock, LeaderElectionRecordAnnotationKey).
 */
const leaseAnnotation = 'control-plane.alpha.kubernetes.io/leader';

/** What a watch of some objects works with. */
export interface ObjectsWatchOptions {
  readonly objects: WatchedObjects;
  readonly open: () => Promise<KubeApi>;
  readonly gate: Gate;
  readonly bell: Bell;
  /** Ends it. */
  readonly signal: AbortSignal;
}

/** One watch, opened again whenever it ends, from where it ended. Rings at each change, and where it may have missed some. */
export class ObjectsWatch {
  /** Settles when it was opened or could not be, for the first time. */
  readonly tried: Promise<void>;
  /** Settles when it has stopped for good; never rejects. */
  readonly ended: Promise<void>;
  #isOpen = false;
  #markTried: () => void = () => undefined;
  readonly #selection: ListOptions;
  /** Up to where everything was seen; undefined: nothing is known of what came before. */
  #version: string | undefined;

  constructor(private readonly options: ObjectsWatchOptions) {
    const {namespace, name, labelSelector} = options.objects;
    this.#selection = {
      metadataOnly: true,
      ...(namespace !== undefined && {namespace}),
      ...(labelSelector !== undefined && {labelSelector}),
      ...(name !== undefined && {fieldSelector: `metadata.name=${name}`}),
    };
    this.tried = new Promise((resolve) => {
      this.#markTried = resolve;
    });
    this.ended = this.#run()
      .catch((thrown: unknown) => {
        options.bell.fail(thrown);
      })
      .finally(this.#markTried);
  }

  /** Whether changes are seen at this moment. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  async #run(): Promise<void> {
    const {gate, signal} = this.options;
    while (!signal.aborted) {
      const failure = await this.#watch().catch(asMeshError);
      this.#isOpen = false;
      this.#markTried();
      if (failure && refusals.includes(failure.code)) {
        // Whoever relied on it must ask from now on.
        if (this.#version !== undefined) this.options.bell.ring();
        return;
      }
      if (failure?.class === 'bug') throw failure;
      await gate.pass();
    }
  }

  async #watch(): Promise<void> {
    const {open, objects, bell, signal} = this.options;
    const api = await open();
    if (this.#version === undefined) {
      this.#version = await api.version(objects, this.#selection);
      // What changed before that version is no event: only a new look shows it.
      bell.ring();
    }
    const from = this.#version;
    this.#isOpen = true;
    this.#markTried();
    for await (const event of api.watch(objects, {...this.#selection, resourceVersion: from, signal})) {
      this.#version = event.type === 'BOOKMARK' ? event.resourceVersion : event.object.metadata.resourceVersion;
      if (isNews(event)) bell.ring();
    }
    // Without a single event the version may be too old to watch from (410): begin anew.
    if (this.#version === from) this.#version = undefined;
  }
}

function isNews(event: WatchEvent): boolean {
  if (event.type === 'BOOKMARK') return false;
  const {kind, metadata} = event.object;
  return kind !== 'ConfigMap' || metadata.annotations?.[leaseAnnotation] === undefined;
}
