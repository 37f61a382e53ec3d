/**
 * What is known to go wrong in certain versions although nothing is misconfigured on purpose: a table, an entry each.
 * An entry says of which versions it is true, and under which further condition; a mesh in which that does not hold
 * never meets it.
 */
import {formatMinute} from '../../format.js';
import type {CacertsFacts} from '../../facts/facts.js';
import {crlFileName} from '../../x509/crl.js';
import {caCrlVariable, features, multiRootVariable} from '../../istio/features.js';
import {parseBool} from '../../istio/environment.js';
import {type FirstReleases, hasReached} from '../../istio/since.js';
import type {IstioVersion} from '../../istio/version.js';

/** What a hazard may depend on, of one running istiod. */
export interface HazardFacts {
  readonly now: Date;
  /** istiod's environment. */
  readonly env: Readonly<Record<string, string>>;
  /** Undefined: there is no such Secret. */
  readonly cacerts: CacertsFacts | undefined;
  /** Whether Secret istio-ca-secret is there. */
  readonly hasOwnRoot: boolean;
  /** Whether a ztunnel runs in Istio's namespace: ambient mode. */
  readonly hasZtunnel: boolean;
  /** The remote clusters of which this one is the primary. */
  readonly remotes: readonly string[];
  /** mesh.yaml says `trust.rotationReady: true`. */
  readonly mustRotate: boolean;
}

/**
 * What takes a hazard away: Secret cacerts as the work directory has it (and a restart where that is needed), a new
 * cluster CA, the installation as it is declared, a later version, no revocation lists in cacerts, or a variable of
 * istiod's environment.
 */
export type Remedy =
  | {readonly by: 'push' | 'renew' | 'reinstall' | 'upgrade' | 'no lists'}
  | {readonly by: 'environment'; readonly name: string; /** Absent: take it out. */ readonly value?: string};

/** One known hazard. */
export interface Hazard {
  /** Stable, for tests and texts. */
  readonly id: string;
  /** What is so, of the versions concerned. */
  readonly title: string;
  /** Absent: error. */
  readonly severity?: 'warning';
  /** The first release concerned; absent: all before `fixedIn`. */
  readonly from?: FirstReleases;
  /** The first release of each minor that is not concerned any more; absent: the newest known is. */
  readonly fixedIn?: FirstReleases;
  /** Whether it is met: what was seen, as the subject of a sentence. Undefined: it is not. */
  readonly applies: (facts: HazardFacts) => string | undefined;
  /** What follows. */
  readonly consequence: string;
  /** How it has to be instead. */
  readonly expected: string;
  readonly remedy: Remedy;
  readonly source: string;
}

/** Proxies ask for certificates of this life unless SECRET_TTL says otherwise (istio/istio pilot/cmd/pilot-agent/options/options.go). */
const leafLifeMs = 24 * 60 * 60_000;
const reloadSwitch = 'AUTO_RELOAD_PLUGIN_CERTS';
const ownRootSwitch = 'USE_CACERTS_FOR_SELF_SIGNED_CA';
const externalSwitch = 'EXTERNAL_ISTIOD';

/** Every hazard. */
export const hazards: readonly Hazard[] = [
  {
    id: 'tls-cacerts-unread',
    title: 'istiod does not read tls.crt, tls.key and ca.crt (Secrets of cert-manager)',
    fixedIn: features.tlsCacerts.from,
    applies: ({cacerts}) =>
      cacerts?.layout === 'tls' && !cacerts.keys.includes('ca-key.pem')
        ? 'Secret cacerts holds tls.crt, and no ca-key.pem'
        : undefined,
    consequence: 'at its start istiod goes self-signed without a word, under a root that no other cluster knows',
    expected: 'the four *.pem files in Secret cacerts, or Istio 1.14.2 or later',
    remedy: {by: 'push'},
    source: features.tlsCacerts.source,
  },
  {
    id: 'incomplete-cacerts-silent',
    title: 'istiod only looks for the key in cacerts',
    fixedIn: features.incompleteCacertsRefused.from,
    // root-cert.pem alone adds roots to those of a self-signed istiod, on purpose.
    applies: ({cacerts}) =>
      cacerts?.layout === 'pem' && cacerts.keys.includes('ca-cert.pem') && !cacerts.keys.includes('ca-key.pem')
        ? 'Secret cacerts lacks ca-key.pem'
        : undefined,
    consequence: 'at its start istiod goes self-signed without a word, under a root that no other cluster knows',
    expected: 'all four files in Secret cacerts',
    remedy: {by: 'push'},
    source: features.incompleteCacertsRefused.source,
  },
  {
    id: 'crl-unknown',
    title: `istiod does not know ${crlFileName}`,
    severity: 'warning',
    fixedIn: features.caCrl.from,
    applies: ({cacerts}) => (cacerts?.crl === undefined ? undefined : `Secret cacerts holds ${crlFileName}`),
    consequence: 'what it revokes is still accepted everywhere',
    expected: `no ${crlFileName} that seems to revoke, or Istio 1.27 or later`,
    remedy: {by: 'no lists'},
    source: features.caCrl.source,
  },
  {
    id: 'crl-unread',
    title: `istiod reads ${crlFileName} beside the *.pem files only, and not where ${caCrlVariable} is false`,
    severity: 'warning',
    from: features.caCrl.from,
    applies: ({cacerts, env}) => {
      if (cacerts?.crl === undefined) return undefined;
      if (cacerts.layout === 'tls') return `Secret cacerts holds ${crlFileName} beside tls.crt`;
      return parseBool(env[caCrlVariable], true)
        ? undefined
        : `Secret cacerts holds ${crlFileName}, and ${caCrlVariable} is false`;
    },
    consequence: 'what it revokes is still accepted everywhere',
    expected: `no ${crlFileName} that seems to revoke, or one that istiod reads`,
    remedy: {by: 'no lists'},
    source: '1.27.0:pilot/pkg/bootstrap/istio_ca.go, pilot/pkg/features/pilot.go',
  },
  {
    id: 'crl-refused',
    title: 'istiod wants a revocation list of every CA of the chain, the root included',
    from: features.caCrl.from,
    applies: ({cacerts, env}) => {
      if (cacerts?.crl === undefined || cacerts.layout === 'tls' || !parseBool(env[caCrlVariable], true))
        return undefined;
      return cacerts.crl.problem;
    },
    consequence: 'a running istiod takes no change of cacerts, and a restarted one does not start',
    expected: `a list of each CA in ${crlFileName}, or no ${crlFileName}`,
    remedy: {by: 'no lists'},
    source: '1.27.0:security/pkg/pki/util/keycertbundle.go (Verify)',
  },
  {
    id: 'own-root-first',
    title: `with ${ownRootSwitch}, istiod prefers Secret istio-ca-secret to a cacerts that is marked as its own`,
    severity: 'warning',
    from: features.cacertsForSelfSigned.from,
    applies: ({cacerts, env, hasOwnRoot}) =>
      hasOwnRoot && cacerts?.keys.includes('istio-generated') === true && parseBool(env[ownRootSwitch], false)
        ? 'Secret cacerts carries the mark istio-generated, and Secret istio-ca-secret is there'
        : undefined,
    consequence: 'istiod signs with the root in istio-ca-secret, whatever cacerts holds',
    expected: 'no key istio-generated in Secret cacerts',
    remedy: {by: 'push'},
    source: '1.31.0:security/pkg/pki/ca/ca.go (NewSelfSignedIstioCAOptions), pilot/pkg/bootstrap/istio_ca.go',
  },
  {
    id: 'leaf-outlives-ca',
    title: 'istiod issues certificates that end after the CA that signs them',
    severity: 'warning',
    fixedIn: features.leafEndsWithSigner.from,
    applies: ({cacerts, now}) => {
      const left = (cacerts?.certificate?.notAfter.getTime() ?? Number.POSITIVE_INFINITY) - now.getTime();
      return left > 0 && left < leafLifeMs
        ? `the cluster CA ends at ${cacerts?.certificate ? formatMinute(cacerts.certificate.notAfter) : ''}, and workloads get certificates of 24 hours`
        : undefined;
    },
    consequence: 'workloads go on to present theirs after that, and nobody accepts them until they renew',
    expected: 'a cluster CA that lives longer than the certificates it signs',
    remedy: {by: 'renew'},
    source: features.leafEndsWithSigner.source,
  },
  {
    id: 'ztunnel-chain',
    title: 'ztunnel reads only the first certificate of each part of the chain that istiod answers with',
    fixedIn: features.oneCertificatePerElement.from,
    applies: ({cacerts, hasZtunnel}) => {
      const intermediates = cacerts?.chain.filter(({selfSigned}) => !selfSigned).length ?? 0;
      return hasZtunnel && intermediates > 1
        ? `ztunnel runs, and the chain in Secret cacerts has ${String(intermediates)} intermediate CAs`
        : undefined;
    },
    consequence: 'ambient workloads present an incomplete chain, and their peers refuse it',
    expected: 'Istio 1.24.4, 1.25.1 or later where ztunnel runs below several intermediate CAs',
    remedy: {by: 'upgrade'},
    source: features.oneCertificatePerElement.source,
  },
  {
    id: 'reload-switched-off',
    title: `istiod takes another cluster CA over by itself unless ${reloadSwitch} is false`,
    severity: 'warning',
    from: '1.18',
    fixedIn: '1.19',
    applies: ({cacerts, env}) =>
      cacerts && !parseBool(env[reloadSwitch], true) ? `${reloadSwitch} is false` : undefined,
    consequence: 'a renewed CA in Secret cacerts changes nothing until istiod restarts',
    expected: `${reloadSwitch} left at its default, true`,
    remedy: {by: 'environment', name: reloadSwitch},
    source: '1.18.0:pilot/pkg/features/pilot.go, releasenotes/notes/drop-reload-plugin-certs.yaml',
  },
  {
    id: 'multi-root-unknown',
    title: `istiod does not know ${multiRootVariable}`,
    severity: 'warning',
    fixedIn: features.multiRootMesh.from,
    applies: ({env}) => (parseBool(env[multiRootVariable], false) ? `${multiRootVariable} is true` : undefined),
    consequence: 'it has no effect: another root reaches istiod by a restart only, and proxies by their next renewal',
    expected: `no ${multiRootVariable}, or Istio 1.10 or later`,
    remedy: {by: 'environment', name: multiRootVariable},
    source: features.multiRootMesh.source,
  },
  {
    id: 'multi-root-off',
    title: `istiod takes another root over without a restart only where ${multiRootVariable} is true`,
    severity: 'warning',
    // Before, no setting lets a running istiod take another root.
    from: '1.20',
    applies: ({cacerts, env, mustRotate}) =>
      mustRotate && cacerts && !parseBool(env[multiRootVariable], false)
        ? `mesh.yaml says trust.rotationReady, and ${multiRootVariable} is not true`
        : undefined,
    consequence: 'istiod refuses a second root, and the new cluster CA that comes with it, until it restarts',
    expected: `${multiRootVariable}=true`,
    remedy: {by: 'reinstall'},
    source: '1.20.0 and 1.31.0:pilot/pkg/bootstrap/istio_ca.go (handleEvent)',
  },
  {
    id: 'remote-unmanaged',
    title: `istiod looks after remote clusters only where ${externalSwitch} is true`,
    severity: 'warning',
    from: features.remoteWithoutIstiod.from,
    applies: ({env, remotes}) =>
      remotes.length > 0 && !parseBool(env[externalSwitch], false)
        ? `${externalSwitch} is not true, and ${remotes.join(', ')} ${remotes.length === 1 ? 'has' : 'have'} no istiod`
        : undefined,
    consequence: 'nobody writes the trust bundle and the webhook certificates there, and no workload of theirs starts',
    expected: `${externalSwitch}=true`,
    remedy: {by: 'environment', name: externalSwitch, value: 'true'},
    source: '1.31.0:pilot/pkg/serviceregistry/kube/controller/multicluster.go (checkShouldLead)',
  },
];

/** Whether a version is one that a hazard is true of. */
export function concerns({from, fixedIn}: Pick<Hazard, 'from' | 'fixedIn'>, version: IstioVersion): boolean {
  return (from === undefined || hasReached(version, from)) && (fixedIn === undefined || !hasReached(version, fixedIn));
}

/** The hazards that an istiod of a version meets, each with what was seen. */
export function hazardsOf(
  version: IstioVersion,
  facts: HazardFacts,
): readonly {readonly hazard: Hazard; readonly seen: string}[] {
  return hazards.flatMap((hazard) => {
    const seen = concerns(hazard, version) ? hazard.applies(facts) : undefined;
    return seen === undefined ? [] : [{hazard, seen}];
  });
}
