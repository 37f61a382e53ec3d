/** Answers that are asked for once, however often and from however many places they are needed. */

/** Asks or makes at the first call, and gives every later one the same: facts of one answer, tools that a run may not need. */
export function memoizeAsync<T>(ask: () => Promise<T>): () => Promise<T> {
  let asked: Promise<T> | undefined;
  return () => (asked ??= ask());
}

/** The same, with one answer for each key, a promise or not; `idOf` tells keys apart. */
export function memoizeByKey<Key, T extends object | boolean | string | number>(
  ask: (key: Key) => T,
  idOf: (key: Key) => unknown = (key) => key,
): (key: Key) => T {
  const asked = new Map<unknown, T>();
  return (key) => {
    const id = idOf(key);
    const answer = asked.get(id) ?? ask(key);
    asked.set(id, answer);
    return answer;
  };
}

/** The same for one answer each run and specification: what has the same content is the same specification. */
export function memoizePerRun<Spec, Run extends object, T>(
  open: (spec: Spec, run: Run) => Promise<T>,
): (spec: Spec, run: Run) => Promise<T> {
  const runs = new WeakMap<Run, Map<string, Promise<T>>>();
  return (spec, run) => {
    const answers = runs.get(run) ?? new Map<string, Promise<T>>();
    runs.set(run, answers);
    const id = JSON.stringify(spec);
    const answer = answers.get(id) ?? open(spec, run);
    answers.set(id, answer);
    return answer;
  };
}
