/** Arithmetic for keys that are derived from labels. Not for secrets: neither constant in time nor random. */
import {checkPrimeSync, createHmac} from 'node:crypto';

const primes = new Map<string, bigint>();

/** A prime of this many bits, derived from a label. */
export function prime(size: number, label: string): bigint {
  const name = `${String(size)} ${label}`;
  const known = primes.get(name) ?? searchPrime(size, name);
  primes.set(name, known);
  return known;
}

function searchPrime(size: number, name: string): bigint {
  // The two highest bits are set, so that the product of two primes has exactly the sum of their sizes.
  const high = 3n << BigInt(size - 2);
  let candidate = (derive(`prime ${name}`, Math.ceil(size / 8)) % (1n << BigInt(size - 2))) | high | 1n;
  while (candidate % 3n === 0n || candidate % 5n === 0n || candidate % 7n === 0n || !fits(candidate)) candidate += 2n;
  return candidate;
}

/** Whether it is a prime that does not conflict with the exponent 65537. */
function fits(candidate: bigint): boolean {
  return (candidate - 1n) % 65537n !== 0n && checkPrimeSync(candidate);
}

/** A number of this many bytes, derived from a label. */
export function derive(label: string, size: number): bigint {
  let hex = '';
  for (let index = 0; hex.length < size * 2; index += 1) {
    hex += createHmac('sha256', 'kubectl-mesh fuzz')
      .update(`${label} ${String(index)}`)
      .digest('hex');
  }
  return BigInt(`0x${hex.slice(0, size * 2)}`);
}

/** Big-endian, with leading zeros. */
export function fixed(value: bigint, size: number): Buffer {
  return Buffer.from(value.toString(16).padStart(size * 2, '0'), 'hex');
}

/** Bytes that a number needs. */
export function byteLength(value: bigint): number {
  return Math.ceil(value.toString(16).length / 2);
}

/** base to the exponent, modulo. */
export function power(base: bigint, exponent: bigint, modulus: bigint): bigint {
  let result = 1n;
  let square = base % modulus;
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = (result * square) % modulus;
    square = (square * square) % modulus;
  }
  return result;
}

/** The greatest common divisor. */
export function greatestDivisor(a: bigint, b: bigint): bigint {
  return b === 0n ? a : greatestDivisor(b, a % b);
}

/** The inverse modulo `modulus`, to which `value` must be coprime. */
export function inverse(value: bigint, modulus: bigint): bigint {
  let [a, b] = [value % modulus, modulus];
  let [x, y] = [1n, 0n];
  while (b !== 0n) {
    const quotient = a / b;
    [a, b] = [b, a % b];
    [x, y] = [y, x - quotient * y];
  }
  return ((x % modulus) + modulus) % modulus;
}
