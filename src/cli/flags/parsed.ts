import {Errors} from '@oclif/core';

/** The parser of a flag: of a text that `read` cannot read, `expected` says what it is not. */
export function parsed<T>(read: (text: string) => T | undefined, expected: string): (text: string) => Promise<T> {
  return (text) => {
    const value = read(text);
    if (value !== undefined) return Promise.resolve(value);
    return Promise.reject(new Errors.CLIError(`${text} is not ${expected}`));
  };
}
