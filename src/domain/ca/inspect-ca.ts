/** Reads a cluster's CA files and judges them: what push decides with and verify reports. */
import {defined} from '../defined.js';
import {type ErrorCode, MeshError} from '../errors.js';
import {istiodServingNames} from '../istio/names.js';
import type {Sensitive} from '../sensitive.js';
import {type CaBundle, type CaFiles, caFileNamesOf} from './ca-files.js';
import {type Certificate, parseCertificates, readableCertificates} from '../x509/certificate.js';
import {type ChainResult, verifyChain} from '../x509/chain.js';
import {caRules, type ParsedCaFiles} from './istiod-rules.js';
import {type PrivateKeyFacts, readPrivateKey} from '../keys/private-key.js';

/** One thing that is wrong with CA files. */
export interface CaFinding {
  /** A rule's id of `istiod-rules.ts`, or `unreadable`. Stable. */
  readonly id: string;
  readonly severity: 'error' | 'warning';
  /** `refused`: istiod does not load it. `silent`: it loads, and something breaks later. */
  readonly effect: 'refused' | 'silent';
  readonly message: string;
}

/** CA files, parsed and judged. */
export interface CaInspection {
  readonly findings: readonly CaFinding[];
  /** Whether istiod would load these files: no finding says `refused`. */
  readonly loads: boolean;
  /** The CA that istiod signs with: the first certificate of ca-cert.pem. */
  readonly certificate?: Certificate;
  readonly caCerts?: readonly Certificate[];
  /** Every certificate of root-cert.pem, in its order. */
  readonly roots?: readonly Certificate[];
  /** Every certificate of cert-chain.pem, in its order. */
  readonly chain?: readonly Certificate[];
  readonly key?: PrivateKeyFacts;
  readonly verified?: ChainResult;
}

export interface InspectOptions {
  readonly now: Date;
  /** `1.30` or `1.30.3`; absent: judged like the newest. */
  readonly istioVersion?: string | undefined;
  /** For name constraints; Istio's default `cluster.local`. */
  readonly trustDomain?: string | undefined;
  /** DNS names of istiod's own certificate; those of namespace istio-system. */
  readonly servingNames?: readonly string[] | undefined;
  /** No ca-key.pem is no finding: a git checkout without keys. */
  readonly keyMayBeMissing?: boolean;
}

/** Parses and judges. Never throws for bad input: what cannot be read is a finding. */
export function inspectCaFiles(files: CaFiles, options: InspectOptions): CaInspection {
  const names = caFileNamesOf(files);
  const unreadable: CaFinding[] = [];
  const problem = (thrown: unknown, effect: CaFinding['effect'], more = ''): void => {
    if (!(thrown instanceof MeshError) || thrown.class === 'bug') throw thrown;
    unreadable.push({id: 'unreadable', severity: 'error', effect, message: `${thrown.message}${more}`});
  };
  const {caKey} = files;
  const certificates = (text: string | undefined, what: string): readonly Certificate[] | undefined => {
    if (text === undefined) return undefined;
    try {
      return parseCertificates(text, what).certificates;
    } catch (thrown) {
      const readable = readableCertificates(text, what);
      if (readable.length > 0) problem(thrown, 'silent', ': istiod passes over what it cannot read');
      else problem(thrown, 'refused');
      return readable.length > 0 ? readable : undefined;
    }
  };

  const caCerts = certificates(files.caCert, names.caCert);
  const roots = certificates(files.rootCert, names.rootCert);
  // istiod loads an empty chain; that it hurts is a rule of its own.
  const chain = files.certChain?.trim() === '' ? [] : certificates(files.certChain, names.certChain);
  const key = caKey && readKey(caKey, names.caKey, problem);
  const ca = caCerts?.[0];
  const verified = ca && roots && verifyChain(ca, {roots, intermediates: chain ?? [], now: options.now});
  const parsed: ParsedCaFiles = defined({
    files,
    now: options.now,
    trustDomain: options.trustDomain ?? 'cluster.local',
    servingNames: options.servingNames ?? istiodServingNames('istio-system'),
    keyMayBeMissing: options.keyMayBeMissing ?? false,
    istioVersion: options.istioVersion,
    caCerts,
    ca,
    roots,
    chain,
    key,
    verified,
  });
  const judged = caRules.flatMap(({check, id, severity, effect}): readonly CaFinding[] => {
    const message = check(parsed);
    return message === undefined ? [] : [{id, severity, effect, message}];
  });
  const findings = [...unreadable, ...judged];
  return defined({
    findings,
    loads: findings.every(({effect}) => effect !== 'refused'),
    certificate: ca,
    caCerts,
    roots,
    chain,
    key,
    verified,
  });
}

function readKey(
  pem: Sensitive<string>,
  what: string,
  problem: (thrown: unknown, effect: CaFinding['effect']) => void,
): PrivateKeyFacts | undefined {
  try {
    return readPrivateKey(pem, what);
  } catch (thrown) {
    problem(thrown, 'refused');
    return undefined;
  }
}

/** The complete bundle of files that have no error. Throws `code` (default `PUSH_REFUSED_INVALID_CA`) with every error in its hints. */
export function requireValidBundle(
  files: CaFiles,
  inspection: CaInspection,
  what: string,
  code: ErrorCode = 'PUSH_REFUSED_INVALID_CA',
): CaBundle {
  const errors = inspection.findings.filter(({severity}) => severity === 'error');
  const {caCert, caKey, rootCert, certChain} = files;
  const first = errors[0];
  if (first) {
    throw new MeshError(code, `${what}: ${first.message}`, {hints: errors.slice(1).map(({message}) => message)});
  }
  if (caCert === undefined || caKey === undefined || rootCert === undefined || certChain === undefined) {
    throw new MeshError(code, `${what}: the CA files are not complete`);
  }
  return {caCert, caKey, rootCert, certChain};
}
