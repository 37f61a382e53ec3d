import type {RootKeyFacts} from '../../facts/facts.js';
import {layout} from '../../mesh/layout.js';
import {rootKeyDirectory, rootKeyHint, type SignerSpec} from '../../mesh/signer.js';
import {printableLine} from '../../printable.js';
import {
  filePath,
  fixWith,
  inspectWith,
  inWorkDir,
  kubectlMesh,
  sequence,
  type Suggestion,
  words,
} from '../../suggest/suggestion.js';
import {workDirCheck, findingsOr, notApplicable, ok, type Finding, type Judgement} from '../check.js';

/** The mesh's most valuable key is encrypted. */
export const rootKeyCheck = workDirCheck({
  id: 'MESH107',
  title: 'The root key is encrypted',
  severity: 'warning',
  scope: 'mesh',
  requires: ['rootKey'],
  expected: 'a root key encrypted with a passphrase',
  judge: ({rootKey}, {mesh: {trust}}) => {
    const {copies = [], encrypted = []} = rootKey;
    const findings = [
      ofFile(rootKey),
      ...copies.map((copy) => ofCopy(copy, trust.signer)),
      ...encrypted.map((one) => ofEncrypted(one, trust.signer)),
    ];
    return findingsOr(findings, passed(rootKey, trust.signer));
  },
  meaning:
    'root-key.pem, in the work directory or in the directory of --root-dir or trust.signer, is an encrypted PKCS#8 key whose passphrase is expensive to guess. These are not: one round of MD5 (the format before PKCS#8), DES, a PKCS#12 scheme, and 2,048 rounds of PBKDF2 (the OpenSSL default). No unencrypted key of a root, or of a CA between the root and the clusters, is stored under another name at the top level of the work directory or in a cluster directory.',
  breaks:
    'A copied file, a backup or a stolen laptop is enough to impersonate every workload of every cluster for years.',
  byHand:
    'head -1 root-key.pem   # BEGIN ENCRYPTED PRIVATE KEY\nopenssl asn1parse -in root-key.pem | head -16   # scrypt with N, r, p, or PBKDF2 with its rounds',
  fix: '`kubectl mesh certs passphrase` encrypts the same key again, and prompts for the old and the new passphrase, which can be the same. If a key is stored under another name, first find out what uses it, such as a signer command of your own (trust.signer). Then encrypt it with `openssl pkcs8 -topk8 -v2 aes-256-cbc -v2prf hmacWithSHA256 -iter 600000`, or move it to a place that only that signer can read; change trust.signer.argv accordingly. Destroy all copies and backups of the old file: the new passphrase does not protect them.',
  source: 'RFC 8018 (PBES2); OWASP password storage: scrypt N=16384 r=8 p=5, or PBKDF2-HMAC-SHA256 with 600,000 rounds',
});

function passed({protection, encrypted: [first] = []}: RootKeyFacts, signer: SignerSpec): Judgement {
  if (protection !== 'absent') return ok('encrypted');
  if (first) return ok(`${printableLine(first.path)} is encrypted`, 'any root key encrypted with a passphrase');
  return notApplicable(`no root key in the work directory${rootKeyHint(signer)}`);
}

const strongKdf = 'a key derivation that makes the passphrase expensive to guess';

/** root-key.pem itself. */
function ofFile({protection, path = layout.rootKey, weakness}: RootKeyFacts): Finding | undefined {
  // `--root-dir` is an absolute path; a relative one is the one in mesh.yaml.
  const isAbsolute = path.startsWith('/');
  const fix = kubectlMesh('certs passphrase', isAbsolute ? ['--root-dir', filePath(rootKeyDirectory(path))] : []);
  if (protection === 'clear') return {observed: `${printableLine(path)} is not encrypted`, fix};
  return weakness === undefined ? undefined : {observed: weakText(path, weakness), expected: strongKdf, fix};
}

function weakText(path: string, weakness: string): string {
  return `${printableLine(path)} is encrypted with ${weakness}: its passphrase is cheap to guess`;
}

/**
 * Only the user knows what reads such a file: with a signer command, encrypting it could stop the signer. Encrypting keeps
 * the key, but would lose the other contents of the file.
 */
function ofCopy({path, of, alone}: NonNullable<RootKeyFacts['copies']>[number], signer: SignerSpec): Finding {
  const what = of === 'root' ? 'root key' : 'key of a CA above the cluster CAs';
  const use = signer.type === 'command' ? ', which trust.signer.argv may use' : '';
  return {
    observed: `unencrypted ${what}: ${printableLine(path)}${use}`,
    fix: alone ? encryptFix(path, signer) : inspectFix(path),
  };
}

function ofEncrypted(
  {path, weakness}: NonNullable<RootKeyFacts['encrypted']>[number],
  signer: SignerSpec,
): Finding | undefined {
  if (weakness === undefined) return undefined;
  return {observed: weakText(path, weakness), expected: strongKdf, fix: encryptFix(path, signer)};
}

/** Encrypts the file under its name. 600,000 rounds: the minimum of OWASP, and what MESH107 accepts. */
function encryptFix(path: string, signer: SignerSpec): Suggestion {
  if (signer.type === 'command') return inspectFix(path);
  const [file, sealed] = [inWorkDir(path), inWorkDir(`${path}.sealed`)];
  const kdf = words`-v2 aes-256-cbc -v2prf hmacWithSHA256 -iter 600000`;
  return sequence(
    fixWith.run('openssl', words`pkcs8 -topk8 ${kdf} -in ${file} -out ${sealed}`),
    fixWith.run('mv', [sealed, file]),
  );
}

function inspectFix(path: string): Suggestion {
  return inspectWith.run('ls', ['-l', inWorkDir(path)]);
}
