/** `certs request --cert-manager`: prints a Certificate for each cluster. Writes nothing and reads no cluster. */
import {defined} from '../../domain/defined.js';
import {MeshError} from '../../domain/errors.js';
import {layout} from '../../domain/mesh/layout.js';
import type {KeyAlgorithm} from '../../domain/keys/keys.js';
import type {SignerSpec} from '../../domain/mesh/signer.js';
import {certManagerCertificate, type IssuerRef} from '../../domain/ca/cert-manager.js';
import {asWarnings, emptyPlan, onePhase, type Warning} from '../../engine/operation.js';
import type {ClusterResult, CommonResult} from '../../engine/report.js';
import {loadMesh, type LoadedMesh} from '../shared/load-mesh.js';

/** The request of `certs request --cert-manager`. */
export interface CertManagerRequest {
  readonly clusters: readonly string[];
  readonly keyAlgorithm?: KeyAlgorithm | undefined;
  readonly issuer: IssuerRef;
}

/** One cluster. */
export interface CertManagerCluster extends ClusterResult {
  readonly context?: string;
  /** The Certificate to apply in this cluster. */
  readonly certificate: object;
}

/** The result of `certs request --cert-manager`. */
export interface CertManagerResult extends CommonResult {
  readonly clusters: readonly CertManagerCluster[];
  readonly warnings: readonly Warning[];
}

/** `certs request --cert-manager` */
export const certManagerCertificates = onePhase<CertManagerRequest, CertManagerResult, LoadedMesh>({
  command: 'certs request --cert-manager',
  changes: false,
  title: () => 'read the work directory',
  gather: (deps, {clusters, keyAlgorithm}) => loadMesh(deps, {clusters, keyAlgorithm}),
  plan: () => emptyPlan,
  report({facts: {mesh, clusters, notes}}, {issuer}) {
    const {signer} = mesh.trust;
    checkSigner(signer);
    const results = clusters.map((cluster): CertManagerCluster => {
      const {name, context} = cluster;
      return defined({name, outcome: 'done', context, certificate: certManagerCertificate(mesh, cluster, issuer)});
    });
    return {clusters: results, warnings: asWarnings([...notes, ...undeclaredSignerNotes(signer)])};
  },
  conclude: () => [],
});

/** Checks for another declared signer; one that is not declared is `local`. Throws `CONTRADICTION`. */
function checkSigner(signer: SignerSpec): void {
  if (signer.type === 'local' || (signer.type === 'external' && signer.issuer === 'cert-manager')) return;
  const what = signer.type === 'external' ? signer.issuer : signer.type;
  throw new MeshError('CONTRADICTION', `--cert-manager contradicts ${layout.meshYaml}: trust.signer is ${what}`, {
    hints: [`omit --cert-manager, or change ${layout.meshYaml}`],
  });
}

function undeclaredSignerNotes({type}: SignerSpec): readonly string[] {
  const message = `declare cert-manager in ${layout.meshYaml}, so that no other CA is generated or pushed: trust: {signer: {type: external, issuer: cert-manager}}`;
  return type === 'local' ? [message] : [];
}
