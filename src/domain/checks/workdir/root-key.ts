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
    const fix = commands.mesh('certs passphrase');
    const path = rootKey.path ?? 'root-key.pem';
    switch (rootKey.protection) {
      case 'absent':
        return notApplicable('the root key is not here');
      case 'encrypted':
        return rootKey.weakness === undefined
          ? ok('encrypted', expected)
          : {
              findings: [
                {
                  observed: `${path} is encrypted with ${rootKey.weakness}: guessing its passphrase is cheap`,
                  expected: expectedStrength,
                  fix,
                },
              ],
            };
      case 'clear':
        return {
          findings: [
            {
              observed: `${path} is in the clear`,
              expected,
              fix,
            },
          ],
        };
    }
  },
  explanation: {
    meaning:
      'root-key.pem, if it is here at all, is an encrypted PKCS#8 key whose passphrase is costly to guess: not one round of MD5 (headers of before PKCS#8), not DES or the schemes of PKCS#12, not the 2,048 rounds of PBKDF2 that OpenSSL takes when nothing is said.',
    breaks:
      'A copied file, a backup or a stolen laptop is enough to impersonate every workload of every cluster for years.',
    byHand:
      'head -1 root-key.pem   # BEGIN ENCRYPTED PRIVATE KEY\nopenssl asn1parse -in root-key.pem | head -16   # scrypt with N, r, p, or PBKDF2 with its rounds',
    mend: '`certs passphrase` writes the same key anew, under a new passphrase or the same one, and asks for both. Then destroy the copies and backups of the old file: a passphrase of today does not protect a copy of yesterday.',
    source:
      'RFC 8018 (PBES2); OWASP password storage: scrypt N=16384 r=8 p=5, or PBKDF2-HMAC-SHA256 with 600,000 rounds',
  },
});
