import {defineCheck, notApplicable, ok} from '../check.js';

const expected = 'a root key encrypted with a passphrase';

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
        return ok('encrypted', expected);
      case 'clear':
        return {
          findings: [
            {
              observed: 'root-key.pem is in the clear',
              expected,
              fix: `(umask 077 && openssl pkcs8 -topk8 -v2 aes-256-cbc -v2prf hmacWithSHA256 -iter 600000 -in ${key} -out ${key}.new && mv -f ${key}.new ${key})`,
            },
          ],
        };
    }
  },
  explanation: {
    meaning: 'root-key.pem, if it is here at all, is an encrypted PKCS#8 key.',
    breaks:
      'A copied file, a backup or a stolen laptop is enough to impersonate every workload of every cluster for years.',
    byHand: 'head -1 root-key.pem   # BEGIN ENCRYPTED PRIVATE KEY',
    mend: 'Encrypt it in place with the command shown, then destroy other copies. `certs generate` asks for the passphrase from then on.',
    source: 'RFC 8018 (PBES2); OWASP password storage: PBKDF2-HMAC-SHA256 with 600,000 rounds',
  },
});
