import {verify} from 'node:crypto';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {writePrivateKey} from '../../src/domain/keys/private-key.js';
import {encryptKey} from '../../src/signers/keys.js';
import {Sensitive} from '../../src/domain/sensitive.js';
import {openLocalAuthority} from '../../src/signers/local.js';
import {createSigners} from '../../src/signers/signers.js';
import {createWorkspace} from '../../src/workspace/create.js';
import {type TinyCa, tinyRoot} from '../helpers/tiny-ca.js';
import {signerContext} from './context.js';
import {createWorkDir, type TestWorkDir} from '../helpers/work-dir.js';

const passphrase = new Sensitive('passphrase');
let dir: TestWorkDir;
let root: TinyCa;
beforeEach(async () => {
  dir = await createWorkDir();
  root = await tinyRoot();
});
afterEach(() => dir.dispose());

const workspace = () => createWorkspace({root: dir.root, now: () => new Date()});
const local = {type: 'local'} as const;
const open = (askPassphrase: () => Promise<Sensitive<string>>) =>
  openLocalAuthority(local, signerContext(workspace(), {readPassphrase: askPassphrase}));
const never = () => Promise.reject(new Error('unexpected passphrase prompt'));

async function place(certificates: readonly TinyCa[], key: Sensitive<string>): Promise<void> {
  await dir.write('root-cert.pem', certificates.map(({certificate}) => certificate.pem).join(''));
  await dir.write('root-key.pem', key.reveal(), 0o600);
}

describe('the local signer', () => {
  it('issues certificates that the root certificate verifies', async () => {
    await place([root], await encryptKey(root.key, passphrase));
    const {signer, certificate} = await open(() => Promise.resolve(passphrase));
    const message = Buffer.from('to be signed');
    const signature = await signer.sign(message);
    expect(verify('sha256', message, certificate.publicKey, signature)).toBe(true);
    expect(certificate.fingerprint).toBe(root.certificate.fingerprint);
  });

  it('uses the root that belongs to its key', async () => {
    await place([await tinyRoot(), root], writePrivateKey(root.key));
    const {certificate} = await open(never);
    expect(certificate.fingerprint).toBe(root.certificate.fingerprint);
  });

  it('refuses a key that does not belong to a root', async () => {
    await place([await tinyRoot()], writePrivateKey(root.key));
    await expect(open(never)).rejects.toMatchObject({code: 'WORKDIR_CONFLICT'});
  });

  it.each(['root-cert.pem', 'root-key.pem'])('reports a missing %s', async (path) => {
    await place([root], writePrivateKey(root.key));
    await dir.remove(path);
    await expect(open(never)).rejects.toMatchObject({
      code: 'FILE_MISSING',
      message: expect.stringContaining(path) as string,
    });
  });

  it('refuses the wrong passphrase', async () => {
    await place([root], await encryptKey(root.key, passphrase));
    const wrong = () => Promise.resolve(new Sensitive('wrong'));
    await expect(open(wrong)).rejects.toMatchObject({code: 'WRONG_PASSPHRASE'});
  });
});

describe('the signers of a run', () => {
  it('open the root once for all clusters', async () => {
    await place([root], await encryptKey(root.key, passphrase));
    let requested = 0;
    const signers = createSigners(
      signerContext(workspace(), {
        readPassphrase: () => {
          requested += 1;
          return Promise.resolve(passphrase);
        },
      }),
    );
    const [one, other] = await Promise.all([signers.issuer(local), signers.issuer(local)]);
    expect(one).toBe(other);
    expect(requested).toBe(1);
  });

  it('return each key once', async () => {
    const signers = createSigners(signerContext(workspace(), {readPassphrase: never}));
    await signers.startKey('cluster1', 'ecdsa-p256');
    const first = await signers.takeKey('cluster1', 'ecdsa-p256');
    const second = await signers.takeKey('cluster1', 'ecdsa-p256');
    expect(first.equals(second)).toBe(false);
  });
});
