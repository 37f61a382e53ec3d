/** The Certificate with which cert-manager makes a cluster's CA and keeps it renewed in Secret cacerts. Pure. */
import {MeshError} from '../errors.js';
import {features, hasFeature} from '../istio/features.js';
import {resolveVersion} from '../istio/versions.js';
import type {Mesh, MeshCluster} from '../mesh/mesh.js';
import type {KeyUsage} from '../x509/extensions.js';
import {cacertsName} from '../istio/names.js';
import {caKeyUsage, clusterCaName} from '../x509/profile.js';

/** cert-manager's issuer (its API reference, ObjectReference). */
export interface IssuerRef {
  readonly name: string;
  readonly kind: string;
  readonly group: string;
}

/** cert-manager's words for key usages (cert-manager pkg/apis/certmanager/v1/types.go, KeyUsage). */
const usages: Readonly<Partial<Record<KeyUsage, string>>> = {
  digitalSignature: 'digital signature',
  keyCertSign: 'cert sign',
  cRLSign: 'crl sign',
};

/** The object's name: one for each Secret. */
export const certificateName = 'istio-cluster-ca';

/**
 * The object as cert-manager takes it (API version cert-manager.io/v1). Renewal begins before the certificate would be a
 * warning of `verify` (`trust.expiry`), with a new key each time: the root stays, so istiod takes it over. Throws `USAGE`
 * where the declared version of istiod does not read cert-manager's Secrets.
 */
export function certManagerCertificate(mesh: Mesh, cluster: MeshCluster, issuerRef: IssuerRef): object {
  const {istio, trust} = mesh;
  const declared = istio.version === undefined ? undefined : resolveVersion(istio.version);
  if (declared && !hasFeature(declared.version, 'tlsCacerts')) {
    throw new MeshError(
      'USAGE',
      `istiod reads cert-manager's Secrets (tls.crt, tls.key, ca.crt) from ${features.tlsCacerts.from} on, declared is ${declared.text}`,
      {hints: ['declare a later istio.version in mesh.yaml once it runs']},
    );
  }
  const name = Object.fromEntries(clusterCaName(cluster.name).map(({type, value}) => [type, value]));
  const [keyType, keySize] = trust.keyAlgorithm.split(/-p?/);
  // A duration of Go, as Kubernetes prints it.
  const hours = (days: number): string => `${String(days * 24)}h0m0s`;
  const {share, days} = trust.expiry.warn;
  const lifetime = trust.clusterValidityDays;
  const warningDays = Math.ceil(Math.max(share * lifetime, days)) + 1;
  // cert-manager renews nothing all the time: it wants a life that is longer than that.
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
