/**
 * Known issues of certain Istio versions that occur without a deliberate misconfiguration, as a table. An entry states the
 * affected versions and a further condition, without which the issue does not occur.
 */
import {formatMinute} from '../../format.js';
import {crlFileName} from '../../x509/crl.js';
import {caCrlVariable, features, multiRootVariable} from '../../istio/features.js';
import {parseBool} from '../../istio/environment.js';
import {publishedListsName} from '../../istio/names.js';
import {affects} from '../../istio/since.js';
import type {IstioVersion} from '../../istio/version.js';
import type {Condition, Hazard, HazardFacts} from './hazard.js';
import {ambientHazards} from './ambient-hazards.js';
import {remoteHazards} from './remote-hazards.js';

/** The lifetime that proxies request by default, SECRET_TTL (istio/istio pilot/cmd/pilot-agent/options/options.go). */
const leafLifetimeMs = 24 * 60 * 60_000;
const autoReloadVariable = 'AUTO_RELOAD_PLUGIN_CERTS';
const selfSignedVariable = 'USE_CACERTS_FOR_SELF_SIGNED_CA';
const externalIstiodVariable = 'EXTERNAL_ISTIOD';
/** The releases that return each root as an element of its own: proxies take the last element as their roots. */
const oneRootOnly = {
  from: ['1.24.4', '1.25.1'],
  fixedIn: ['1.24.5', '1.25.2'],
  source: 'istio/istio#55793, istio/istio#55835, 1.24.4:security/pkg/server/ca/server.go (CreateCertificate)',
} as const;

/** Every hazard. */
export const hazards: readonly Hazard[] = [
  {
    id: 'tls-cacerts-unread',
    title: 'istiod does not read tls.crt, tls.key and ca.crt (Secrets from cert-manager)',
    fixedIn: features.tlsCacerts.from,
    applies: ({cacerts}) =>
      cacerts?.layout === 'tls' && !cacerts.keys.includes('ca-key.pem')
        ? 'Secret cacerts holds tls.crt but no ca-key.pem'
        : undefined,
    consequence: 'at its next start istiod silently signs with a self-signed root that no other cluster trusts',
    expected: 'the four *.pem files in Secret cacerts, or Istio 1.14.2 or later',
    fix: {by: 'push'},
    source: features.tlsCacerts.source,
  },
  {
    id: 'incomplete-cacerts-silent',
    title: 'istiod checks cacerts only for the key',
    fixedIn: features.incompleteCacertsRefused.from,
    // root-cert.pem alone deliberately adds roots to those of a self-signed istiod.
    applies: ({cacerts}) =>
      cacerts?.layout === 'pem' && cacerts.keys.includes('ca-cert.pem') && !cacerts.keys.includes('ca-key.pem')
        ? 'Secret cacerts lacks ca-key.pem'
        : undefined,
    consequence: 'at its next start istiod silently signs with a self-signed root that no other cluster trusts',
    expected: 'all four files in Secret cacerts',
    fix: {by: 'push'},
    source: features.incompleteCacertsRefused.source,
  },
  {
    id: 'crl-unknown',
    title: `istiod does not support ${crlFileName}`,
    severity: 'warning',
    fixedIn: features.caCrl.from,
    applies: ({cacerts}) => (cacerts?.crl === undefined ? undefined : `Secret cacerts holds ${crlFileName}`),
    consequence: 'revoked certificates are still accepted everywhere',
    expected: `no ${crlFileName}, or Istio 1.27 or later`,
    fix: {by: 'no lists'},
    source: features.caCrl.source,
  },
  {
    id: 'crl-unread',
    title: `istiod reads ${crlFileName} only next to the *.pem files, and not if ${caCrlVariable} is false`,
    severity: 'warning',
    from: features.caCrl.from,
    applies: ({cacerts, env}) => {
      if (cacerts?.crl === undefined) return undefined;
      if (cacerts.layout === 'tls') return `Secret cacerts holds ${crlFileName} next to tls.crt`;
      return parseBool(env[caCrlVariable], true)
        ? undefined
        : `Secret cacerts holds ${crlFileName}, and ${caCrlVariable} is false`;
    },
    consequence: 'revoked certificates are still accepted everywhere',
    expected: `no ${crlFileName}, or one that istiod reads`,
    fix: {by: 'no lists'},
    source: '1.27.0:pilot/pkg/bootstrap/istio_ca.go, pilot/pkg/features/pilot.go',
  },
  {
    id: 'crl-refused',
    title: 'istiod requires a revocation list from every CA of the chain, including the root',
    from: features.caCrl.from,
    applies: ({cacerts, env}) => {
      if (cacerts?.crl === undefined || cacerts.layout === 'tls' || !parseBool(env[caCrlVariable], true))
        return undefined;
      const {problem} = cacerts.crl;
      return problem && {text: problem.message, isUnproven: problem.isUnproven};
    },
    consequence:
      'a running istiod ignores changes to cacerts, and a restarted one does not start, or proxies refuse every certificate',
    expected: `a list from each CA in ${crlFileName}, or no ${crlFileName}`,
    fix: {by: 'no lists'},
    source: 'istio/istio#61075, 1.27.0:security/pkg/pki/util/keycertbundle.go (Verify)',
  },
  {
    id: 'crl-not-cleared',
    title: 'istiod applies revocation lists that are removed from cacerts until it restarts',
    severity: 'warning',
    from: features.caCrl.from,
    fixedIn: features.crlCleared.from,
    applies: ({cacerts, env, publishesLists}) =>
      publishesLists && cacerts && cacerts.crl === undefined && parseBool(env[caCrlVariable], true)
        ? `ConfigMap ${publishedListsName} contains revocation lists, and Secret cacerts does not`
        : undefined,
    consequence: 'proxies still reject the certificates that the removed lists revoke',
    expected: 'the revocation lists of Secret cacerts, or Istio 1.31.1 or later',
    fix: {by: 'restart'},
    source: features.crlCleared.source,
  },
  {
    id: 'own-root-first',
    title: `with ${selfSignedVariable}, istiod prefers Secret istio-ca-secret to a cacerts marked as self-signed`,
    severity: 'warning',
    from: features.cacertsForSelfSigned.from,
    applies: ({cacerts, env, hasOwnRoot}) =>
      hasOwnRoot && cacerts?.keys.includes('istio-generated') === true && parseBool(env[selfSignedVariable], false)
        ? 'Secret cacerts contains the key istio-generated, and Secret istio-ca-secret exists'
        : undefined,
    consequence: 'istiod signs with the root in istio-ca-secret, regardless of cacerts',
    expected: 'no key istio-generated in Secret cacerts',
    fix: {by: 'push'},
    source: '1.31.0:security/pkg/pki/ca/ca.go (NewSelfSignedIstioCAOptions), pilot/pkg/bootstrap/istio_ca.go',
  },
  {
    id: 'leaf-outlives-ca',
    title: 'istiod issues certificates that expire after the CA that signs them',
    severity: 'warning',
    fixedIn: features.leafExpiresWithSigner.from,
    applies: ({cacerts, now}) => {
      const left = (cacerts?.certificate?.notAfter.getTime() ?? Number.POSITIVE_INFINITY) - now.getTime();
      return left > 0 && left < leafLifetimeMs
        ? `the cluster CA expires at ${cacerts?.certificate ? formatMinute(cacerts.certificate.notAfter) : ''}, and workload certificates are valid for 24 hours`
        : undefined;
    },
    consequence: 'after that, workloads present certificates that are not accepted until they renew them',
    expected: 'a cluster CA that expires after the certificates it signs',
    fix: {by: 'renew'},
    source: features.leafExpiresWithSigner.source,
  },
  {
    id: 'ztunnel-chain',
    title: "ztunnel reads only the first certificate in each element of the chain in istiod's response",
    fixedIn: features.oneCertificatePerElement.from,
    applies: ({cacerts, hasZtunnel}) => {
      const intermediates = cacerts?.chain.filter(({selfSigned}) => !selfSigned).length ?? 0;
      return hasZtunnel && intermediates > 1
        ? `ztunnel runs, and the chain in Secret cacerts has ${String(intermediates)} intermediate CAs`
        : undefined;
    },
    consequence: 'ambient workloads present an incomplete chain, which their peers reject',
    expected: 'Istio 1.24.4, 1.25.1 or later with ztunnel and several intermediate CAs',
    fix: {by: 'upgrade'},
    source: features.oneCertificatePerElement.source,
  },
  {
    id: 'one-root-only',
    title: 'proxies receive only the last root of root-cert.pem',
    from: oneRootOnly.from,
    fixedIn: oneRootOnly.fixedIn,
    applies: ({cacerts, env}) => {
      const roots = cacerts?.roots.length ?? 0;
      if (roots < 2) return undefined;
      // Proxies that accept pushed trust bundles receive all roots.
      const isPushed = parseBool(env[multiRootVariable], false);
      return {text: `root-cert.pem contains ${String(roots)} roots`, isUnproven: isPushed};
    },
    consequence: 'proxies reject workloads whose certificates are below another root',
    expected: 'one root, or Istio 1.24.5, 1.25.2 or later',
    fix: {by: 'upgrade'},
    source: oneRootOnly.source,
  },
  {
    id: 'reload-switched-off',
    title: `istiod reloads a changed cluster CA by itself unless ${autoReloadVariable} is false`,
    severity: 'warning',
    from: '1.18',
    fixedIn: '1.19',
    applies: ({cacerts, env}) =>
      cacerts && !parseBool(env[autoReloadVariable], true) ? `${autoReloadVariable} is false` : undefined,
    consequence: 'a renewed CA in Secret cacerts has no effect until istiod restarts',
    expected: `${autoReloadVariable} at its default, true`,
    fix: {by: 'environment', name: autoReloadVariable},
    source: '1.18.0:pilot/pkg/features/pilot.go, releasenotes/notes/drop-reload-plugin-certs.yaml',
  },
  {
    id: 'multi-root-unknown',
    title: `istiod does not support ${multiRootVariable}`,
    severity: 'warning',
    fixedIn: features.multiRootMesh.from,
    applies: ({env}) => (parseBool(env[multiRootVariable], false) ? `${multiRootVariable} is true` : undefined),
    consequence: 'it has no effect: istiod loads a new root at a restart only, and proxies at their next renewal',
    expected: `no ${multiRootVariable}, or Istio 1.10 or later`,
    fix: {by: 'environment', name: multiRootVariable},
    source: features.multiRootMesh.source,
  },
  {
    id: 'multi-root-off',
    title: `istiod loads a new root without a restart only if ${multiRootVariable} is true`,
    severity: 'warning',
    // In earlier versions, no setting lets a running istiod load a new root.
    from: '1.20',
    applies: ({cacerts, env, rotationDeclared}) =>
      rotationDeclared && cacerts && !parseBool(env[multiRootVariable], false)
        ? `mesh.yaml sets trust.rotationReady, and ${multiRootVariable} is not true`
        : undefined,
    consequence: 'until a restart, istiod rejects a second root and a new cluster CA that comes with it',
    expected: `${multiRootVariable}=true`,
    fix: {by: 'reinstall'},
    source: '1.20.0 and 1.31.0:pilot/pkg/bootstrap/istio_ca.go (handleEvent)',
  },
  {
    id: 'remote-unmanaged',
    title: `istiod manages remote clusters only if ${externalIstiodVariable} is true`,
    severity: 'warning',
    from: features.remoteWithoutIstiod.from,
    applies: ({env, remotes}) =>
      remotes.length > 0 && !parseBool(env[externalIstiodVariable], false)
        ? `${externalIstiodVariable} is not true, and ${remotes.join(', ')} ${remotes.length === 1 ? 'has' : 'have'} no istiod`
        : undefined,
    consequence: 'no istiod writes the trust bundle and the webhook certificates there, and workloads do not start',
    expected: `${externalIstiodVariable}=true`,
    fix: {by: 'environment', name: externalIstiodVariable, value: 'true'},
    source: '1.31.0:pilot/pkg/serviceregistry/kube/controller/multicluster.go (checkShouldLead)',
  },
  ...ambientHazards,
  ...remoteHazards,
];

/** The hazards that apply to an istiod of a version, each with the observed condition. */
export function hazardsOf(
  version: IstioVersion,
  facts: HazardFacts,
): readonly {readonly hazard: Hazard; readonly condition: Condition}[] {
  return hazards.flatMap((hazard) => {
    const condition = affects(hazard, version) ? hazard.applies(facts) : undefined;
    if (condition === undefined) return [];
    return [{hazard, condition: typeof condition === 'string' ? {text: condition} : condition}];
  });
}
