/** The Certificate object from which cert-manager issues and renews a cluster CA in Secret cacerts. Pure. */
import {MeshError} from '../errors.js';
import {features, hasFeature} from '../istio/features.js';
import {resolveVersion} from '../istio/versions.js';
import type {Mesh, MeshCluster} from '../mesh/mesh.js';
import type {KeyUsage} from '../x509/extensions.js';
import {cacertsName} from '../istio/names.js';
import {expiryLimitDays} from '../x509/expiry.js';
import {caKeyUsage, clusterCaName} from '../x509/profile.js';

/** A reference to a cert-manager issuer (cert-manager's API reference, ObjectReference). */
export interface IssuerRef {
  readonly name: string;
  readonly kind: string;
  readonly group: string;
}

/** cert-manager's names for key usages (cert-manager pkg/apis/certmanager/v1/types.go, KeyUsage). */
const usages: Readonly<Partial<Record<KeyUsage, string>>> = {
  digitalSignature: 'digital signature',
  keyCertSign: 'cert sign',
  cRLSign: 'crl sign',
};

/** The object's name; there is one for each Secret. */
export const certificateName = 'istio-cluster-ca';

/**
 * The Certificate object (API version cert-manager.io/v1). Renewal begins before `verify` would warn about expiry
 * (`trust.expiry`), with a new key each time; since the root stays the same, istiod reloads the CA. Throws `USAGE` if the
 * declared version of istiod does not read cert-manager's Secrets.
 */
export function certManagerCertificate(mesh: Mesh, cluster: MeshCluster, issuerRef: IssuerRef): object {
  const {istio, trust} = mesh;
  const declared = istio.version === undefined ? undefined : resolveVersion(istio.version);
  if (declared && !hasFeature(declared.version, 'tlsCacerts')) {
    throw new MeshError(
      'USAGE',
      `istiod ${declared.text} (declared in mesh.yaml) does not read cert-manager's Secrets (tls.crt, tls.key, ca.crt): requires ${features.tlsCacerts.from} or later`,
      {hints: ['once a later version runs, declare it as istio.version in mesh.yaml']},
    );
  }
  const name = Object.fromEntries(clusterCaName(cluster.name).map(({type, value}) => [type, value]));
  const [keyType, keySize] = trust.keyAlgorithm.split(/-p?/);
  // A Go duration, in the form that Kubernetes prints.
  const hours = (days: number): string => `${String(days * 24)}h0m0s`;
  const lifetime = trust.clusterValidityDays;
  const warningDays = Math.ceil(expiryLimitDays(lifetime, trust.expiry.warn)) + 1;
  // cert-manager requires renewBefore to be shorter than the duration.
  const renewDays = Math.min(warningDays, Math.max(1, Math.floor(lifetime / 2)));
  return {
    apiVersion: 'cert-manager.io/v1',
    kind: 'Certificate',
    metadata: {name: certificateName, namespace: istio.namespace},
    spec: {
      secretName: cacertsName,
      isCA: true,
      commonName: name.CN,
      subject: {organizations: [name.O], localities: [name.L]},
      duration: hours(lifetime),
      renewBefore: hours(renewDays),
      privateKey: {
        algorithm: keyType === 'rsa' ? 'RSA' : 'ECDSA',
        size: Number(keySize),
        rotationPolicy: 'Always',
      },
      usages: caKeyUsage.flatMap((usage) => usages[usage] ?? []),
      issuerRef,
    },
  };
}
