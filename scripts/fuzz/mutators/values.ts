/** Values of extensions, and mutators that replace them. */
import {implicit, tlv} from '../der.js';
import {extensionMutator, type Mutator} from './mutator.js';

export const ia5 = (text: string | Buffer): Buffer => tlv(0x16, Buffer.from(text));
export const uri = (text: string | Buffer): Buffer => implicit(6, text);
export const dns = (text: string | Buffer): Buffer => implicit(2, text);
export const ip = (...bytes: readonly number[]): Buffer => implicit(7, Buffer.from(bytes));

/** Variants of one extension, by name. */
export function variants(
  group: string,
  id: string,
  values: Readonly<Record<string, Buffer | readonly [Buffer, boolean]>>,
): Mutator[] {
  return Object.entries(values).map(([key, entry]) => {
    const [value, critical] = Buffer.isBuffer(entry) ? [entry, false] : entry;
    return extensionMutator(`${group}/${key}`, {id, critical, value});
  });
}
