/** `certs request --cert-manager`: prints a Certificate for each cluster; nothing is written, and no cluster is asked. */
import {defined} from '../../domain/defined.js';
import {MeshError} from '../../domain/errors.js';
import {layout} from '../../domain/mesh/layout.js';
import type {KeyAlgorithm} from '../../domain/keys/keys.js';
import type {SignerSpec} from '../../domain/mesh/signer.js';
import {certManagerCertificate, type IssuerRef} from '../../domain/ca/cert-manager.js';
import {asWarnings, emptyPlan, onePhase, type Warning} from '../../engine/operation.js';
import type {ClusterResult, CommonResult} from '../../engine/report.js';
import {loadMesh, type LoadedMesh} from '../shared/load-mesh.js';

/** What is asked for. */
export interface CertManagerRequest {
  readonly clusters: readonly string[];
  readonly keyAlgorithm?: KeyAlgorithm | undefined;
  readonly issuer: IssuerRef;
}

/** One cluster. */
export interface CertManagerCluster extends ClusterResult {
  readonly context?: string;
  /** The Certificate, as it is to be applied in this cluster. */
  readonly certificate: object;
}

/** What it answers. */
export interface CertManagerResult extends CommonResult {
  readonly clusters: readonly CertManagerCluster[];
  readonly warnings: readonly Warning[];
}

/** Prints them. */
export const certManagerCertificates = onePhase<CertManagerRequest, CertManagerResult, LoadedMesh>({
  command: 'certs request --cert-manager',
  changes: false,
  title: () => 'read the work directory',
  gather: (deps, {clusters, keyAlgorithm}) => loadMesh(deps, {clusters, keyAlgorithm}),
  plan: () => emptyPlan,
  report({facts: {mesh, clusters, notes}}, {issuer}) {
    const {signer} = mesh.trust;
    refuseOther(signer);
    const results = clusters.map((cluster): CertManagerCluster => {
      const {name, context} = cluster;
      return defined({name, outcome: 'done', context, certificate: certManagerCertificate(mesh, cluster, issuer)});
    });
    return {clusters: results, warnings: asWarnings([...notes, ...undeclared(signer)])};
  },
  conclude: () => [],
});

/** `local` is what an undeclared signer is, too. Throws `CONTRADICTION`. */
function refuseOther(signer: SignerSpec): void {
  if (signer.type === 'local' || (signer.type === 'external' && signer.issuer === 'cert-manager')) return;
  const what = signer.type === 'external' ? signer.issuer : signer.type;
  throw new MeshError('CONTRADICTION', `--cert-manager, and ${layout.meshYaml} declares trust.signer: ${what}`, {
    hints: [`leave --cert-manager away, or change ${layout.meshYaml}`],
  });
}

function undeclared({type}: SignerSpec): readonly string[] {
  const message = `declare it in ${layout.meshYaml}, so that nothing else is generated or pushed: trust: {signer: {type: external, issuer: cert-manager}}`;
  return type === 'local' ? [message] : [];
}
