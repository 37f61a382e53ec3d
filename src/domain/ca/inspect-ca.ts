/** Reads a cluster's CA files and judges them: what push decides with and verify reports. */
import {defined} from '../defined.js';
import {type ErrorCode, MeshError, recover} from '../errors.js';
import {istiodServingNames} from '../istio/names.js';
import type {Sensitive} from '../sensitive.js';
import {type CaBundle, type CaFiles, caFileNamesOf} from './ca-files.js';
import {type Certificate, parseCertificates, readableCertificates} from '../x509/certificate.js';
import {verifyChain} from '../x509/chain.js';
import {type CaFinding, caRules, type ParsedCa} from './istiod-rules.js';
import {rootRef, type RootRef} from './trust-store.js';
import {type PrivateKeyFacts, readPrivateKey} from '../keys/private-key.js';

/** CA files, parsed and judged. */
export interface CaInspection extends ParsedCa {
  readonly findings: readonly CaFinding[];
  /** Whether istiod would load these files: no finding says `refused`. */
  readonly loads: boolean;
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
  const addUnreadable = (message: string, effect: CaFinding['effect']): void => {
    unreadable.push({id: 'unreadable', severity: 'error', effect, message});
  };
  const certificates = (text: string | undefined, what: string): readonly Certificate[] | undefined =>
    text === undefined
      ? undefined
      : recover(
          () => parseCertificates(text, what).certificates,
          ({message}) => {
            const readable = readableCertificates(text, what);
            if (readable.length > 0) addUnreadable(`${message}: istiod passes over what it cannot read`, 'silent');
            else addUnreadable(message, 'refused');
            return readable.length > 0 ? readable : undefined;
          },
        );
  const keyOf = (key: Sensitive<string>): PrivateKeyFacts | undefined =>
    recover(
      () => readPrivateKey(key, names.caKey),
      ({message}) => {
        addUnreadable(message, 'refused');
        return undefined;
      },
    );

  const caCerts = certificates(files.caCert, names.caCert);
  const certificate = caCerts?.[0];
  const roots = certificates(files.rootCert, names.rootCert);
  // istiod loads an empty chain; that it hurts is a rule of its own.
  const chain = files.certChain?.trim() === '' ? [] : certificates(files.certChain, names.certChain);
  const parsed: ParsedCa = defined({
    certificate,
    caCerts,
    roots,
    chain,
    key: files.caKey && keyOf(files.caKey),
    verified: certificate && roots && verifyChain(certificate, {roots, intermediates: chain ?? [], now: options.now}),
  });
  const {trustDomain = 'cluster.local', servingNames = istiodServingNames('istio-system')} = options;
  const judged = {keyMayBeMissing: false, ...options, ...parsed, files, names, trustDomain, servingNames};
  const broken = caRules.flatMap(({check, ...rule}): readonly CaFinding[] => {
    const message = check(judged);
    return message === undefined || message === false ? [] : [{...rule, message}];
  });
  const findings = [...unreadable, ...broken];
  return {...parsed, findings, loads: findings.every(({effect}) => effect !== 'refused')};
}

/** The complete bundle of files that have no error. Throws `code` (default `PUSH_REFUSED_INVALID_CA`) with every error in its hints. */
export function requireValidBundle(
  files: CaFiles,
  inspection: CaInspection,
  what: string,
  code: ErrorCode = 'PUSH_REFUSED_INVALID_CA',
): CaBundle {
  const [first, ...others] = inspection.findings.filter(({severity}) => severity === 'error');
  const {caCert, caKey, rootCert, certChain} = files;
  if (first) throw new MeshError(code, `${what}: ${first.message}`, {hints: others.map(({message}) => message)});
  if (caCert === undefined || caKey === undefined || rootCert === undefined || certChain === undefined) {
    throw new MeshError(code, `${what}: the CA files are not complete`);
  }
  return {caCert, caKey, rootCert, certChain};
}

/** A CA as results show it: fingerprints, names and dates, never bytes. */
export interface ShownCa {
  readonly roots: readonly RootRef[];
  readonly clusterCa?: RootRef & {readonly notAfter: string};
}

/** Summarises a judged CA. */
export function summarizeCa({roots = [], certificate}: CaInspection): ShownCa {
  return defined({
    roots: roots.map(rootRef),
    clusterCa: certificate && {...rootRef(certificate), notAfter: certificate.notAfter.toISOString()},
  });
}
