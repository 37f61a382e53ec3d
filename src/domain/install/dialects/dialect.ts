import type {IstioVersion} from '../../istio/version.js';
import type {Tree} from '../tree.js';

/** Who issues workload certificates in istiod's place, with what istiod has to be told. */
export type ExternalIssuer =
  | {readonly issuer: 'istio-csr'; readonly caAddress: string}
  | {
      readonly issuer: 'kubernetes-csr';
      readonly signerName: string;
      /** PEM: the signer's root, or several. */
      readonly roots: string;
    };

/** What a primary's document is made from; everything is known. */
export interface DocumentInput {
  readonly version: IstioVersion;
  readonly clusterName: string;
  readonly network: string;
  readonly meshID: string;
  readonly trustDomain: string;
  readonly namespace: string;
  readonly profile: string;
  readonly hub?: string;
  readonly tag?: string;
  /** Absent for the default revision. */
  readonly revision?: string;
  /** Every cluster of the mesh that is on this network, this one too, in the order of mesh.yaml. */
  readonly clustersOfNetwork: readonly string[];
  readonly rotationReady: boolean;
  /** Who issues workload certificates in istiod's place; absent where istiod does. */
  readonly external?: ExternalIssuer;
}

/** How an IstioOperator document is written for a range of Istio versions. */
export interface Dialect {
  /** The first and the last minor: `1.8 to 1.23`. Named in results and at the top of install.yaml. */
  readonly id: string;
  /** The first minor. */
  readonly from: string;
  /** Why this range has a form of its own. */
  readonly why: string;
  document(input: DocumentInput): Tree;
}
