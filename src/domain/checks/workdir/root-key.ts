import {defineCheck, notApplicable, ok} from '../check.js';

const expected = 'a root key encrypted with a passphrase';
const expectedStrength = 'a key derivation that makes guessing the passphrase costly';

/** The mesh's most valuable key is not in the clear. */
export const rootKeyCheck = defineCheck({
  id: 'MESH107',
  title: 'The root key is encrypted',
  severity: 'warning',
  scope: 'mesh',
  vantage: 'work directory',
  needs: ['rootKey'],
  waitable: false,
  implies: [],
  judge: ({rootKey}, {commands}) => {
    const key = commands.path('root-key.pem');
    switch (rootKey.protection) {
      case 'absent':
        return notApplicable('the root key is not in this work directory');
      case 'encrypted':
        return rootKey.weakness === undefined
          ? ok('encrypted', expected)
          : {
              findings: [
                {
                  observed: `root-key.pem is encrypted with ${rootKey.weakness}: guessing its passphrase is cheap`,
                  expected: expectedStrength,
                  fix: encrypt(key),
                },
              ],
            };
      case 'clear':
        return {
          findings: [
            {
              observed: 'root-key.pem is in the clear',
              expected,
              fix: encrypt(key),
            },
          ],
        };
    }
  },
  explanation: {
    meaning: 'root-key.pem, if it is here at all, is an encrypted PKCS#8 key whose passphrase is costly to guess.',
    breaks:
      'A copied file, a backup or a stolen laptop is enough to impersonate every workload of every cluster for years.',
    byHand:
      'head -1 root-key.pem   # BEGIN ENCRYPTED PRIVATE KEY\nopenssl asn1parse -in root-key.pem | head -16   # scrypt with N, r, p, or PBKDF2 with its rounds',
    mend: 'Encrypt it in place with the command shown, then destroy other copies. OpenSSL asks for the passphrase, of an encrypted key for the old one first. `certs generate` asks for the new one from then on.',
    source:
      'RFC 8018 (PBES2); OWASP password storage: scrypt N=16384 r=8 p=5, or PBKDF2-HMAC-SHA256 with 600,000 rounds',
  },
});

/** Encrypts a key anew, in the form that `certs generate` writes; works on keys in the clear and encrypted ones. */
function encrypt(key: string): string {
  const strength = '-v2 aes-256-cbc -scrypt -scrypt_N 16384 -scrypt_r 8 -scrypt_p 5';
  return `(umask 077 && openssl pkcs8 -topk8 ${strength} -in ${key} -out ${key}.new && mv -f ${key}.new ${key})`;
}
