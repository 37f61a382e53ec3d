/** Whether istiod would load certificates and keys that need not be a complete set, such as a single file. */
import {defined} from '../defined.js';
import {groupBy} from '../group-by.js';
import {type CaFiles, caFilesOfSecret} from './ca-files.js';
import type {Certificate} from '../x509/certificate.js';
import {chainPem, issued, lowestOf} from '../x509/chain.js';
import {inspectCaFiles, type InspectOptions} from './inspect-ca.js';
import type {CaFinding} from './istiod-rules.js';
import {type FilePart, type PartContent, publicText} from '../x509/recognize.js';

/** Whether istiod would load an inspected file or Secret. */
export interface IstiodVerdict {
  /** The file name, or Secret, that it was checked as. */
  readonly as: 'cacerts' | 'ca-cert.pem' | 'cert-chain.pem' | 'root-cert.pem' | 'ca-key.pem';
  /** Whether istiod would load it as that. */
  readonly loads: boolean;
  /**
   * The root that it was verified against: one in the inspected file, the work directory's root-cert.pem, or none if neither
   * has one. Absent for a root or a key, which need none.
   */
  readonly root?: 'inspected' | 'work directory' | 'none';
  readonly findings: readonly CaFinding[];
}

/** Checks the data of a Secret, or a cluster's files, complete or not; undefined if they contain no CA. */
export function inspectSet(parts: readonly FilePart[], options: InspectOptions): IstiodVerdict | undefined {
  const part = (name: string): FilePart | undefined => parts.find((one) => one.name === name);
  if (!part('ca-cert.pem') && !part('tls.crt') && !part('ca-key.pem')) return undefined;
  const files = caFilesOfSecret(
    (name) => {
      const found = part(name);
      return found && publicText(found);
    },
    (name) => part(name)?.content,
  );
  const {loads, findings} = inspectCaFiles(files, options);
  return {as: 'cacerts', loads, root: files.rootCert === undefined ? 'none' : 'inspected', findings};
}

/** Rules for a complete set, which do not apply to a single file. */
const setRules = ['incomplete', 'several-ca-certs', 'signs-with-root'];
const chainRules = ['chain-empty', 'chain-without-ca', 'chain-order', 'chain-open', 'chain-expired'];

/** Checks one file, against `roots` (the mesh's) if it contains none. Undefined for a file without certificates and keys. */
export function inspectFile(
  content: PartContent,
  roots: readonly Certificate[],
  options: InspectOptions,
  encoding?: FilePart['encoding'],
): IstiodVerdict | undefined {
  const inspected = inspectContent(content, roots, options);
  // What this program cannot read is reported as a problem.
  const verdict = inspected && content.problems.length > 0 ? {...inspected, loads: false} : inspected;
  if (!verdict || encoding === undefined) return verdict;
  const message = `${content.name} has ${encoding}: istiod cannot read it`;
  const finding = {id: 'unreadable', severity: 'error', effect: 'refused', message} as const;
  return {...verdict, loads: false, findings: [finding, ...verdict.findings]};
}

function inspectContent(
  {certificates, key}: PartContent,
  roots: readonly Certificate[],
  options: InspectOptions,
): IstiodVerdict | undefined {
  const [first] = certificates;
  if (!first) {
    if (!key) return undefined;
    const {refusal: message} = key;
    const finding = {id: 'key-format', severity: 'error', effect: 'refused'} as const;
    return {
      as: 'ca-key.pem',
      loads: message === undefined,
      findings: message === undefined ? [] : [{...finding, message}],
    };
  }
  const lowest = lowestOf(certificates);
  if (!lowest) {
    const files: CaFiles = {caCert: first.pem, rootCert: chainPem(certificates)};
    return verdict('root-cert.pem', files, [...setRules, ...chainRules, 'path-length'], options);
  }
  const included = certificates.filter(({selfSigned}) => selfSigned);
  const anchors = included.length > 0 ? included : roots;
  const isSingle = certificates.length === 1;
  const files: CaFiles = defined({
    caCert: lowest.pem,
    certChain: chainPem(certificates),
    rootCert: anchors.length > 0 ? chainPem(anchors) : undefined,
  });
  const result = isSingle
    ? verdict('ca-cert.pem', files, [...setRules, ...chainRules], options)
    : verdict('cert-chain.pem', files, setRules, options);
  return {...result, root: included.length > 0 ? 'inspected' : roots.length > 0 ? 'work directory' : 'none'};
}

function verdict(
  as: IstiodVerdict['as'],
  files: CaFiles,
  ignored: readonly string[],
  options: InspectOptions,
): IstiodVerdict {
  const inspection = inspectCaFiles(files, {...options, keyMayBeMissing: true});
  const findings = inspection.findings.filter(({id}) => !ignored.includes(id));
  return {as, findings, loads: findings.every(({effect}) => effect === 'silent')};
}

/**
 * The fingerprints of the certificates that are one of these roots, or chain up to one of them through the others. Each
 * certificate is verified once with each key that may have signed it: a bundle may contain thousands of certificates.
 */
export function belowRoots(certificates: readonly Certificate[], roots: readonly Certificate[]): ReadonlySet<string> {
  const byIssuer = groupBy(certificates, ({issuer}) => issuer.der.toString('hex'));
  const below = new Map(roots.map((root) => [root.fingerprint, root]));
  const tried = new Set<string>();
  // A Map's iterator also visits entries that are added meanwhile.
  for (const parent of below.values()) {
    for (const child of byIssuer.get(parent.subject.der.toString('hex')) ?? []) {
      const attempt = `${child.fingerprint} ${parent.spki}`;
      if (below.has(child.fingerprint) || tried.has(attempt)) continue;
      tried.add(attempt);
      if (issued(parent, child)) below.set(child.fingerprint, child);
    }
  }
  return new Set(below.keys());
}
