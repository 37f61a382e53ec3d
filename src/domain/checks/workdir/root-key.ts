import {fixWith, inWorkDir, kubectlMesh, inspectWith, sequence, words} from '../../suggest/suggestion.js';
import {workDirCheck, findingsOr, notApplicable, ok, type Finding} from '../check.js';
import type {RootKeyFacts} from '../../facts/facts.js';
import {printableLine} from '../../printable.js';

/** The mesh's most valuable key is not in the clear. */
export const rootKeyCheck = workDirCheck({
  id: 'MESH107',
  title: 'The root key is encrypted',
  severity: 'warning',
  scope: 'mesh',
  needs: ['rootKey'],
  expected: 'a root key encrypted with a passphrase',
  judge: ({rootKey}) => {
    const findings = [ofFile(rootKey), ...(rootKey.copies ?? []).map(ofCopy)];
    return findingsOr(
      findings,
      rootKey.protection === 'absent' ? notApplicable('the root key is not here') : ok('encrypted'),
    );
  },
  meaning:
    'root-key.pem, if it is here at all, is an encrypted PKCS#8 key whose passphrase is costly to guess: not one round of MD5 (headers of before PKCS#8), not DES or the schemes of PKCS#12, not the 2,048 rounds of PBKDF2 that OpenSSL takes when nothing is said. Nor does a key of a root, or of a CA between it and the clusters, lie in the clear under another name at the top of the work directory or in the folder of a cluster.',
  breaks:
    'A copied file, a backup or a stolen laptop is enough to impersonate every workload of every cluster for years.',
  byHand:
    'head -1 root-key.pem   # BEGIN ENCRYPTED PRIVATE KEY\nopenssl asn1parse -in root-key.pem | head -16   # scrypt with N, r, p, or PBKDF2 with its rounds',
  mend: '`certs passphrase` writes the same key anew, under a new passphrase or the same one, and asks for both. Of a key under another name, make sure first who needs it: a trust.signer of your own reads it from somewhere; then move it to where only that signer reads it, or encrypt it. Then destroy the copies and backups of the old file: a passphrase of today does not protect a copy of yesterday.',
  source: 'RFC 8018 (PBES2); OWASP password storage: scrypt N=16384 r=8 p=5, or PBKDF2-HMAC-SHA256 with 600,000 rounds',
});

/** root-key.pem itself. */
function ofFile({protection, path = 'root-key.pem', weakness}: RootKeyFacts): Finding | undefined {
  const fix = kubectlMesh('certs passphrase');
  if (protection === 'clear') return {observed: `${printableLine(path)} is in the clear`, fix};
  if (weakness === undefined) return undefined;
  const observed = `${printableLine(path)} is encrypted with ${weakness}: guessing its passphrase is cheap`;
  return {observed, expected: 'a key derivation that makes guessing the passphrase costly', fix};
}

/** Only a person knows who reads such a file. Encrypting keeps the key; of a file that holds more, the rest would be lost. */
function ofCopy({path, of, alone}: NonNullable<RootKeyFacts['copies']>[number]): Finding {
  const observed = `the ${of === 'root' ? "root's key" : 'key of a CA above the clusters'} is in the clear: ${printableLine(path)}`;
  const [file, sealed] = [inWorkDir(path), inWorkDir(`${path}.sealed`)];
  const remedy = alone
    ? sequence(
        fixWith.run('openssl', words`pkcs8 -topk8 -scrypt -in ${file} -out ${sealed}`),
        fixWith.run('mv', [sealed, file]),
      )
    : inspectWith.run('ls', ['-l', file]);
  return {observed, fix: remedy};
}
