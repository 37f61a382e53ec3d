/**
 * Setup of a worker: scrypt derives a key from the same passphrase and salt once. It takes a quarter of a second by design,
 * and tests open the same encrypted key again and again.
 */
import crypto, {type BinaryLike, type ScryptOptions} from 'node:crypto';
import {syncBuiltinESMExports} from 'node:module';
import {promisify} from 'node:util';

type Derive = (passphrase: BinaryLike, salt: BinaryLike, length: number, options: ScryptOptions) => Promise<Buffer>;

/** Replaces scrypt before a module of the program imports it. A setup file runs before every test file of the worker. */
if (crypto.scrypt.name !== 'scryptOnce') {
  crypto.scrypt = scryptOnce(promisify(crypto.scrypt)) as typeof crypto.scrypt;
  syncBuiltinESMExports();
}

function scryptOnce(derive: Derive) {
  const derived = new Map<string, Buffer>();
  return function scryptOnce(
    ...[passphrase, salt, length, options, done]: [...Parameters<Derive>, (error: unknown, key?: Buffer) => void]
  ): void {
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
