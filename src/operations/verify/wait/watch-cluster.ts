import {nameOfWatched, type WatchedObjects} from '../../../domain/facts/watched.js';
import type {Deps} from '../../../engine/deps.js';
import type {KubeApi} from '../../../tools/kubectl/api.js';
import type {Bell} from './bell.js';
import {Gate} from './gate.js';
import {ObjectsWatch} from './watch-objects.js';

/** The watches of one cluster, behind one gate. */
export class ClusterWatch {
  readonly #stop = new AbortController();
  readonly #watches = new Map<string, {readonly watch: ObjectsWatch; readonly stop: AbortController}>();
  readonly #gate: Gate;
  readonly #open: () => Promise<KubeApi>;

  constructor(
    deps: Deps,
    context: string,
    private readonly bell: Bell,
  ) {
    this.#open = () => deps.clusters.open(context);
    this.#gate = new Gate({open: this.#open, bell, now: deps.now, signal: this.#stop.signal});
  }

  /** Whether its API server does not answer; it rings when it does again. */
  get isSilent(): boolean {
    return this.#gate.isSilent;
  }

  /** Whether changes of these objects are seen at this moment. */
  shows(objects: WatchedObjects): boolean {
    return this.#watches.get(nameOfWatched(objects))?.watch.isOpen === true;
  }

  /** Watches exactly these from now on; what is watched already goes on. */
  watch(all: readonly WatchedObjects[]): void {
    const wanted = new Map(all.map((objects) => [nameOfWatched(objects), objects]));
    for (const [name, {stop}] of this.#watches) {
      if (wanted.has(name)) continue;
      stop.abort();
      this.#watches.delete(name);
    }
    for (const [name, objects] of wanted) {
      if (this.#watches.has(name)) continue;
      const stop = new AbortController();
      const {bell} = this;
      const watch = new ObjectsWatch({objects, open: this.#open, gate: this.#gate, bell, signal: stop.signal});
      this.#watches.set(name, {watch, stop});
    }
  }

  /** Resolves when every watch was opened or could not be. */
  async tried(): Promise<void> {
    await Promise.all([...this.#watches.values()].map(({watch}) => watch.tried));
  }

  /** Ends all watches. */
  async close(): Promise<void> {
    this.#stop.abort();
    const watches = [...this.#watches.values()];
    for (const {stop} of watches) stop.abort();
    await Promise.all(watches.map(({watch}) => watch.ended));
  }
}
