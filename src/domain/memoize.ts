/** Functions that compute a result once and return it to every caller. */

/** Computes a result at the first call and returns it at every later one. A result that is never requested is not computed. */
export function memoizeAsync<T>(compute: () => Promise<T>): () => Promise<T> {
  let result: Promise<T> | undefined;
  return () => (result ??= compute());
}

/** Computes one result for each key, which may be a promise. `idOf` returns what distinguishes keys. */
export function memoizeByKey<Key, T extends object | boolean | string | number>(
  compute: (key: Key) => T,
  idOf: (key: Key) => unknown = (key) => key,
): (key: Key) => T {
  const results = new Map<unknown, T>();
  return (key) => {
    const id = idOf(key);
    const result = results.get(id) ?? compute(key);
    results.set(id, result);
    return result;
  };
}

/** Computes one result for each object, and keeps it as long as the object. */
export function memoizePerObject<Of extends object, T extends object | string>(compute: (of: Of) => T): (of: Of) => T {
  const results = new WeakMap<Of, T>();
  return (of) => {
    const result = results.get(of) ?? compute(of);
    results.set(of, result);
    return result;
  };
}

/**
 * Keeps the latest results of a computation whose result depends on the key alone. It forgets what was requested the longest
 * time ago, so that memory does not grow with the number of keys. Errors are not kept.
 */
export class LatestResults<T extends object> {
  readonly #results = new Map<string, T>();

  constructor(private readonly limit: number) {}

  get(key: string, compute: () => T): T {
    const result = this.#results.get(key) ?? compute();
    // A Map keeps the order of insertion.
    this.#results.delete(key);
    this.#results.set(key, result);
    if (this.#results.size > this.limit) {
      const [oldest] = this.#results.keys();
      if (oldest !== undefined) this.#results.delete(oldest);
    }
    return result;
  }
}

/** Returns one string for all equal ones, as far as they are among the latest: each text that is parsed has its own. */
export function sharedTexts(limit: number): (text: string) => string {
  const latest = new LatestResults<{readonly text: string}>(limit);
  return (text) => latest.get(text, () => ({text})).text;
}

/** Computes one result for each run and specification. Specifications with the same content are the same. */
export function memoizePerRun<Spec, Run extends object, T>(
  open: (spec: Spec, run: Run) => Promise<T>,
): (spec: Spec, run: Run) => Promise<T> {
  const runs = new WeakMap<Run, Map<string, Promise<T>>>();
  return (spec, run) => {
    const results = runs.get(run) ?? new Map<string, Promise<T>>();
    runs.set(run, results);
    const id = JSON.stringify(spec);
    const result = results.get(id) ?? open(spec, run);
    results.set(id, result);
    return result;
  };
}
