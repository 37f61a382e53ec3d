import {fixWith, inWorkDir, kubectlMesh, inspectWith, sequence, words} from '../../suggest/suggestion.js';
import {workDirCheck, findingsOr, notApplicable, ok, type Finding} from '../check.js';
import type {RootKeyFacts} from '../../facts/facts.js';
import {printableLine} from '../../printable.js';

/** The mesh's most valuable key is encrypted. */
export const rootKeyCheck = workDirCheck({
  id: 'MESH107',
  title: 'The root key is encrypted',
  severity: 'warning',
  scope: 'mesh',
  requires: ['rootKey'],
  expected: 'a root key encrypted with a passphrase',
  judge: ({rootKey}) => {
    const findings = [ofFile(rootKey), ...(rootKey.copies ?? []).map(ofCopy)];
    return findingsOr(
      findings,
      rootKey.protection === 'absent' ? notApplicable('no root key in the work directory') : ok('encrypted'),
    );
  },
  meaning:
    'root-key.pem, if present, is an encrypted PKCS#8 key whose passphrase is expensive to guess. These are not: one round of MD5 (the format before PKCS#8), DES, a PKCS#12 scheme, and 2,048 rounds of PBKDF2 (the OpenSSL default). No unencrypted key of a root, or of a CA between the root and the clusters, is stored under another name at the top level of the work directory or in a cluster directory.',
  breaks:
    'A copied file, a backup or a stolen laptop is enough to impersonate every workload of every cluster for years.',
  byHand:
    'head -1 root-key.pem   # BEGIN ENCRYPTED PRIVATE KEY\nopenssl asn1parse -in root-key.pem | head -16   # scrypt with N, r, p, or PBKDF2 with its rounds',
  fix: '`kubectl mesh certs passphrase` encrypts the same key again, and prompts for the old and the new passphrase, which can be the same. If a key is stored under another name, first find out what uses it, such as a signer command of your own (trust.signer). Then encrypt it, or move it to a place that only that signer can read. Destroy all copies and backups of the old file: the new passphrase does not protect them.',
  source: 'RFC 8018 (PBES2); OWASP password storage: scrypt N=16384 r=8 p=5, or PBKDF2-HMAC-SHA256 with 600,000 rounds',
});

/** root-key.pem itself. */
function ofFile({protection, path = 'root-key.pem', weakness}: RootKeyFacts): Finding | undefined {
  const fix = kubectlMesh('certs passphrase');
  if (protection === 'clear') return {observed: `${printableLine(path)} is not encrypted`, fix};
  if (weakness === undefined) return undefined;
  const observed = `${printableLine(path)} is encrypted with ${weakness}: its passphrase is cheap to guess`;
  return {observed, expected: 'a key derivation that makes the passphrase expensive to guess', fix};
}

/** Only the user knows what reads such a file. Encrypting keeps the key, but would lose the other contents of the file. */
function ofCopy({path, of, alone}: NonNullable<RootKeyFacts['copies']>[number]): Finding {
  const observed = `unencrypted ${of === 'root' ? 'root key' : 'key of a CA above the cluster CAs'}: ${printableLine(path)}`;
  const [file, sealed] = [inWorkDir(path), inWorkDir(`${path}.sealed`)];
  const fix = alone
    ? sequence(
        fixWith.run('openssl', words`pkcs8 -topk8 -scrypt -in ${file} -out ${sealed}`),
        fixWith.run('mv', [sealed, file]),
      )
    : inspectWith.run('ls', ['-l', file]);
  return {observed, fix};
}
