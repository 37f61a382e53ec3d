/**
 * Setup of a worker: what OpenSSL computes from the same bytes, it computes once. scrypt takes a quarter of a second by
 * design, and OpenSSL 3 a good part of a millisecond to read a key, while tests open the same few keys again and again.
 * The results are those of OpenSSL, and key objects cannot be changed. Errors are not kept.
 */
import crypto, {createHash, type BinaryLike, type KeyObject, type ScryptOptions} from 'node:crypto';
import {syncBuiltinESMExports} from 'node:module';
import {promisify} from 'node:util';

type Derive = (passphrase: BinaryLike, salt: BinaryLike, length: number, options: ScryptOptions) => Promise<Buffer>;

function scryptOnce(derive: Derive) {
  const derived = new Map<string, Buffer>();
  return (
    ...[passphrase, salt, length, options, done]: [...Parameters<Derive>, (error: unknown, key?: Buffer) => void]
  ): void => {
    const {cost, blockSize, parallelization} = options;
    const name = JSON.stringify([passphrase, salt, length, cost, blockSize, parallelization]);
    const known = derived.get(name);
    const key = known ? Promise.resolve(known) : derive(passphrase, salt, length, options);
    key.then((bytes) => {
      derived.set(name, bytes);
      // The caller may overwrite its copy.
      done(null, Buffer.from(bytes));
    }, done);
  };
}

/** Reads keys in DER, and public halves of key objects, once. Reads everything else as it is given. */
function readOnce<Input>(read: (input: Input) => KeyObject): (input: Input) => KeyObject {
  const byBytes = new Map<string, KeyObject>();
  const byKey = new WeakMap<KeyObject, KeyObject>();
  return (input) => {
    if (input instanceof crypto.KeyObject) {
      const result = byKey.get(input) ?? read(input);
      byKey.set(input, result);
      return result;
    }
    const {key, format, type, ...more} = input as {readonly key?: unknown; readonly format?: string; type?: string};
    if (!Buffer.isBuffer(key) || format !== 'der' || Object.keys(more).length > 0) return read(input);
    const name = `${String(type)} ${createHash('sha256').update(key).digest('base64')}`;
    const result = byBytes.get(name) ?? read(input);
    byBytes.set(name, result);
    return result;
  };
}

const replaced = Symbol.for('crypto-once');

/** Replaces the functions before a module of the program imports them. A setup file runs before each file of its worker. */
if (!(replaced in crypto)) {
  const {scrypt, createPrivateKey, createPublicKey} = crypto;
  Object.assign(crypto, {
    [replaced]: true,
    scrypt: scryptOnce(promisify(scrypt)),
    createPrivateKey: readOnce(createPrivateKey),
    createPublicKey: readOnce(createPublicKey),
  });
  syncBuiltinESMExports();
}
