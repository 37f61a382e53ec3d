import {once} from '../domain/once.js';

/** An interface whose methods are all asynchronous. */
type Asynchronous<T> = {[Key in keyof T]: (...args: never[]) => Promise<unknown>};

/** An object that is loaded by the first call of one of its methods, so that a run does not load what it does not use. */
export function lazy<T extends Asynchronous<T>>(load: () => Promise<T>): T {
  const get = once(load);
  const methods = new Map<string | symbol, (...args: never[]) => Promise<unknown>>();
  return new Proxy({} as T, {
    get(_, name) {
      // Whoever awaits the object must not take it for a promise.
      if (name === 'then') return undefined;
      const method = methods.get(name) ?? (async (...args) => (await get())[name as keyof T](...args));
      methods.set(name, method);
      return method;
    },
  });
}
