/**
 * Private keys in what is pushed, restored or kept: a cluster CA's files contain one key, and only where istiod reads it. No
 * flag overrides these rules.
 */
import {caFileNamesOf} from '../ca/ca-files.js';
import {unreadableParts} from '../ca/canonical.js';
import {type CaFinding, keyRules, publishedKeyProblem} from '../ca/istiod-rules.js';
import {type ErrorReport, problem} from '../errors.js';
import {advice, type Hint, kubectlMesh, words} from '../suggest/suggestion.js';
import {type CacertsSecret, isGenerated} from './cacerts.js';
import type {Certificate} from '../x509/certificate.js';
import type {DesiredCa} from './diff.js';

/** The hint for a cluster CA with these findings: `certs rewrite` if it resolves all of them, otherwise a new one. */
export function fixHint(cluster: string, findings: readonly CaFinding[] = []): Hint {
  return findings.length > 0 && findings.every(({isOfForm}) => isOfForm === true)
    ? advice`write the same key and certificates in canonical form: ${kubectlMesh('certs rewrite', [cluster])}`
    : advice`issue a new cluster CA: ${kubectlMesh('certs generate', words`${cluster} --renew`)}`;
}

/** What a published key means: removing it from the file does not make it secret again. */
const compromised =
  "anyone who could read the file has the key: if it is the root's, replace the root; any other key must be replaced, too";

/** Why a CA is not sent, whatever is allowed: a key that does not belong there, or a file that cannot be built. */
export function keyRefusal({
  own,
  what,
  cluster,
  isRollback = false,
}: {
  readonly own: DesiredCa;
  readonly what: string;
  readonly cluster: string;
  readonly isRollback?: boolean;
}): ErrorReport | undefined {
  const {files, inspection, misplacedKeys = []} = own;
  const ofKeys = inspection.findings.filter(({id}) => keyRules.includes(id));
  const published = ofKeys.find(({id}) => id === 'published-key');
  const inSecret = misplacedKeys.length === 0 ? undefined : `private keys in ${misplacedKeys.join(', ')}`;
  const exposed = published?.message ?? inSecret;
  if (exposed !== undefined) {
    const hints = isRollback
      ? [advice`it is not restored; to delete it: ${kubectlMesh('trust rollback', words`${cluster} --forget`)}`]
      : ['remove the key from the file, also from its comments, and from every copy of it', fixHint(cluster)];
    return problem('PRIVATE_KEY_PUBLISHED', `${what}: ${exposed}`, ...hints, compromised);
  }
  const [first, ...others] = ofKeys.map(({message}) => message);
  const unreadable = isRollback ? [] : unreadableParts(files);
  const names = unreadable.map((part) => caFileNamesOf(files)[part]).join(', ');
  const fault = first ?? (unreadable.length > 0 ? `cannot read ${names}, so that nothing can be sent` : undefined);
  if (fault === undefined) return undefined;
  const hints = isRollback
    ? others
    : [
        ...others,
        fixHint(
          cluster,
          inspection.findings.filter(({id}) => id === 'unreadable' || keyRules.includes(id)),
        ),
      ];
  return problem('PUSH_REFUSED_INVALID_CA', `${what}: ${fault}`, ...hints);
}

/**
 * Why a Secret must not be copied: it holds the key of a root, its own included, or of a CA above the cluster's. The root that
 * istiod generated in cacerts is its cluster CA (USE_CACERTS_FOR_SELF_SIGNED_CA).
 */
export function whyNotKept(
  {data, inspection, privateKeys, misplacedKeys}: CacertsSecret,
  {inspection: {certificate, roots = [], chain = []}}: DesiredCa,
): string | undefined {
  const keys = Object.values(privateKeys).flat();
  const own = isGenerated(data) ? [] : (inspection.roots ?? []);
  const isKeyOf = (certificates: readonly Certificate[]): boolean =>
    keys.some(({spki}) => certificates.some((one) => one.spki === spki));
  if (isKeyOf([...roots, ...own])) return "contains the root's private key";
  if (isKeyOf(chain.filter(({spki}) => spki !== certificate?.spki))) {
    return 'contains the private key of a CA above the cluster CA';
  }
  if (misplacedKeys.length > 0) return 'contains private keys besides the CA key';
  return keys.some(({spki}) => spki === undefined) ? 'contains a private key that istiod cannot read' : undefined;
}

/** What to do about keys that the Secret in the cluster exposes: replacing it does not make them secret again. */
export function exposedKeyWarnings({files}: CacertsSecret, cluster: string): readonly Hint[] {
  const published = publishedKeyProblem(files);
  if (published === undefined) return [];
  const renew = kubectlMesh('certs generate', words`${cluster} --renew`);
  return [
    advice`Secret cacerts: ${published}; istiod publishes it to every namespace. Anyone who could read a ConfigMap or a proxy's certificates has the key. If it is the cluster CA's: ${renew}; if it is the root's, replace the root`,
  ];
}
