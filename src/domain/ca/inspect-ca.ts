/** Parses and checks a cluster's CA files: push decides by the result, and verify reports it. */
import {defined} from '../defined.js';
import {type ErrorCode, MeshError, recover} from '../errors.js';
import {istiodServingNames} from '../istio/names.js';
import type {Sensitive} from '../sensitive.js';
import {type CaBundle, type CaFiles, caFileNamesOf} from './ca-files.js';
import {canonicalFiles} from './canonical.js';
import {type Certificate, parseCertificates, readableCertificates} from '../x509/certificate.js';
import {RefusedByProxies} from '../asn1/der.js';
import {parsePem} from '../asn1/pem.js';
import {sha256Hex} from '../keys/keys.js';
import {verifyChain} from '../x509/chain.js';
import {type CaFinding, caRules, isBlocking, lacks, type ParsedCa, type Violation} from './istiod-rules.js';
import {rootRef, type RootRef} from './trust-store.js';
import {type PrivateKeyFacts, readPrivateKey} from '../keys/private-key.js';

/** Parsed CA files and their findings. */
export interface CaInspection extends ParsedCa {
  readonly findings: readonly CaFinding[];
  /** Whether istiod would load these files: every finding has the effect `silent`. */
  readonly loads: boolean;
}

export interface InspectOptions {
  readonly now: Date;
  /** `1.30` or `1.30.3`; default: the newest. */
  readonly istioVersion?: string | undefined;
  /** For name constraints; default: `cluster.local`, as in Istio. */
  readonly trustDomain?: string | undefined;
  /** DNS names in istiod's own certificate; default: those for namespace istio-system. */
  readonly servingNames?: readonly string[] | undefined;
  /** Whether ca-key.pem may be missing, as in a git checkout without keys. */
  readonly keyMayBeMissing?: boolean;
}

/** SHA-256 of the first PEM block, which istiod reads with other functions than those after it. */
function firstBlock(text: string): string | undefined {
  return recover(
    () =>
      parsePem(text, 'PEM')
        .blocks.slice(0, 1)
        .map(({bytes}) => sha256Hex(bytes))[0],
    () => undefined,
  );
}

type CertificatePart = 'caCert' | 'rootCert' | 'certChain';

/**
 * What happens if only the first certificates of a file can be read. istiod reads root-cert.pem twice: on start and reload
 * as a pool that skips what it cannot read (crypto/x509 cert_pool.go, AppendCertsFromPEM), and only on start also as a list
 * that must be readable as a whole (istio/istio pkg/spiffe/spiffe.go, AddMappingFromPEM).
 */
const partlyReadable: Readonly<Record<CertificatePart, {readonly text: string; readonly effect: CaFinding['effect']}>> =
  {
    caCert: {text: 'istiod reads only the first certificate', effect: 'silent'},
    rootCert: {text: 'istiod does not start with it; on reload it skips what it cannot read', effect: 'refused'},
    certChain: {text: 'istiod does not start with it; on reload it skips what it cannot read', effect: 'refused'},
  };

/** Parses and checks CA files. Never throws for invalid input: unreadable files are findings. */
export function inspectCaFiles(files: CaFiles, options: InspectOptions): CaInspection {
  const names = caFileNamesOf(files);
  const unreadable: CaFinding[] = [];
  const addUnreadable = ({code, message}: Pick<MeshError, 'code' | 'message'>, effect: CaFinding['effect']): void => {
    unreadable.push(
      code === 'NOT_PROVEN'
        ? {id: 'unproven', severity: 'unknown', effect: 'unproven', message}
        : {id: 'unreadable', severity: 'error', effect, message},
    );
  };
  const certificates = (text: string | undefined, part: CertificatePart): readonly Certificate[] | undefined =>
    text === undefined
      ? undefined
      : recover(
          () => parseCertificates(text, names[part]).certificates,
          ({code, message, cause}) => {
            const readable = readableCertificates(text, names[part]);
            const isFirst = readable[0]?.fingerprint === firstBlock(text);
            // Without the first certificate, it is unknown whether istiod would load the files.
            if (cause instanceof RefusedByProxies) addUnreadable({code, message}, isFirst ? 'silent' : 'unproven');
            // After a malformed marker or base64, Go may find other blocks than this program.
            else if (!isFirst || code === 'NOT_PEM') addUnreadable({code, message}, 'refused');
            else {
              const {text: consequence, effect} = partlyReadable[part];
              addUnreadable({code, message: code === 'NOT_PROVEN' ? message : `${message}: ${consequence}`}, effect);
            }
            return readable.length > 0 ? readable : undefined;
          },
        );
  const keyOf = (key: Sensitive<string>): PrivateKeyFacts | undefined =>
    recover(
      () => readPrivateKey(key, names.caKey),
      (error) => {
        addUnreadable(error, 'refused');
        return undefined;
      },
    );

  const hasPolicyValidation = !lacks(options.istioVersion, 'policyValidation');
  const caCerts = certificates(files.caCert, 'caCert');
  const certificate = caCerts?.[0];
  const roots = certificates(files.rootCert, 'rootCert');
  // istiod loads an empty chain; another rule reports it.
  const chain = files.certChain === '' ? [] : certificates(files.certChain, 'certChain');
  const parsed: ParsedCa = defined({
    certificate,
    caCerts,
    roots,
    chain,
    key: files.caKey && keyOf(files.caKey),
    verified:
      certificate &&
      roots &&
      verifyChain(certificate, {roots, intermediates: chain ?? [], now: options.now, hasPolicyValidation}),
  });
  const {trustDomain = 'cluster.local', servingNames = istiodServingNames('istio-system')} = options;
  const purpose = {trustDomain, servingNames, hasPolicyValidation};
  const input = {keyMayBeMissing: false, ...options, ...parsed, files, names, ...purpose};
  const violations = caRules.flatMap(({check, ...rule}): readonly CaFinding[] => {
    const found = check(input);
    if (found === undefined || found === false) return [];
    const {message, certificate: faulty}: Violation = typeof found === 'string' ? {message: found} : found;
    const isAbove = faulty !== undefined && faulty.fingerprint !== certificate?.fingerprint;
    return [defined({...rule, message, above: isAbove ? faulty.fingerprint : undefined})];
  });
  const findings = [...unreadable, ...violations];
  return {...parsed, findings, loads: findings.every(({effect}) => effect === 'silent')};
}

/**
 * The bundle of complete files without errors, and without anything that is not proven, built from what was parsed. Throws `code` with the
 * first error as message and the others as hints.
 */
export function requireValidBundle(
  files: CaFiles,
  inspection: CaInspection,
  what: string,
  code: ErrorCode = 'PUSH_REFUSED_INVALID_CA',
): CaBundle {
  const [first, ...others] = inspection.findings.filter(isBlocking);
  const {caCert, caKey, rootCert, certChain} = canonicalFiles(files);
  if (first) throw new MeshError(code, `${what}: ${first.message}`, {hints: others.map(({message}) => message)});
  if (caCert === undefined || caKey === undefined || rootCert === undefined || certChain === undefined) {
    throw new MeshError(code, `${what}: the CA files are incomplete`);
  }
  return {caCert, caKey, rootCert, certChain};
}

/** A CA in results: fingerprints, names and dates, never key material. */
export interface ShownCa {
  readonly roots: readonly RootRef[];
  readonly clusterCa?: RootRef & {readonly notAfter: string};
}

/** Summarizes CA files for results. */
export function summarizeCa({roots = [], certificate}: CaInspection): ShownCa {
  return defined({
    roots: roots.map(rootRef),
    clusterCa: certificate && {...rootRef(certificate), notAfter: certificate.notAfter.toISOString()},
  });
}
