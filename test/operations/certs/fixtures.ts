/** Shared by the tables of plans: a fixed time, a declared mesh, CAs of any shape, and a summary of a plan. */
import type {KeyObject} from 'node:crypto';
import {type ErrorCode, type ErrorReport, MeshError, reportError} from '../../../src/domain/errors.js';
import {parseMeshFile} from '../../../src/domain/mesh/parse.js';
import {resolveMesh} from '../../../src/domain/mesh/resolve.js';
import {type Certificate, type CertificateTemplate, keyIdentifier} from '../../../src/domain/x509/certificate.js';
import {publicHalf} from '../../../src/domain/keys/keys.js';
import type {Action} from '../../../src/engine/action.js';
import type {Group, Plan, PlannedPassphrase} from '../../../src/engine/operation.js';
import type {LoadedMesh} from '../../../src/operations/shared/load-mesh.js';
import type {TrustStore} from '../../../src/domain/ca/trust-store.js';
import type {ClusterTrustStore} from '../../../src/observe/root-files.js';
import {memorySigner, type TinyCa, tinyClusterCa, type TinyOptions} from '../../helpers/tiny-ca.js';

export const now = new Date('2026-06-01T00:00:00Z');

export function daysFromNow(days: number): Date {
  return new Date(now.getTime() + days * 86_400_000);
}

/** A mesh.yaml with clusters c1 and c2; `more` is YAML before them. */
export function meshYaml(more = ''): string {
  return `apiVersion: kubectl-mesh/v1alpha1\nkind: Mesh\nmeshID: mesh1\n${more}clusters: [{name: c1}, {name: c2}]\n`;
}

/** The mesh of this mesh.yaml, with a .gitignore. */
export function loadedMesh(yaml = meshYaml()): LoadedMesh {
  const {mesh, selected} = resolveMesh({file: parseMeshFile(yaml), contexts: {}, names: [], overrides: {}});
  return {
    ...{mesh, clusters: selected, declared: true, notes: [], declaration: {}},
    texts: {mesh: yaml, contexts: undefined, gitignore: '*key.pem\n'},
  };
}

type Change = NonNullable<TinyOptions['change']>;

/** Changes a certificate's extensions before it is signed. */
export function extensions(change: Partial<CertificateTemplate['extensions']>): Change {
  return (template) => ({...template, extensions: {...template.extensions, ...change}});
}

/** A CA that may have others below it, such as a company's policy CA. */
export async function policyCa(issuer: TinyCa, name: string, options: TinyOptions = {}): Promise<TinyCa> {
  const change: Change = (template) => {
    const policy = extensions({basicConstraints: {ca: true}})(template);
    return options.change?.(policy) ?? policy;
  };
  return tinyClusterCa(issuer, name, {now, days: 1000, ...options, change});
}

/** Another certificate for a key that exists already: a renewal, a cross-certificate, or one with a fault. */
export async function certify(
  issuer: TinyCa,
  key: KeyObject,
  cluster: string,
  {change, ...options}: TinyOptions = {},
): Promise<TinyCa> {
  const publicKey = publicHalf(key);
  const made = await tinyClusterCa(issuer, cluster, {
    ...{now, ...options},
    change: (template) => {
      const own = extensions({subjectKeyId: keyIdentifier(publicKey)})({...template, publicKey});
      return change?.(own) ?? own;
    },
  });
  return {...made, key, signer: memorySigner(key)};
}

/** Roots as in a file. */
export function rootFile(...roots: readonly TinyCa[]): TrustStore {
  const certificates = roots.map(({certificate}) => certificate);
  return {text: certificates.map(({pem}) => pem).join(''), roots: certificates};
}

/** Roots as in a cluster's directory. */
export function rootOf(cluster: string, ...roots: readonly TinyCa[]): ClusterTrustStore {
  return {cluster, ...rootFile(...roots)};
}

/** An unreadable root-cert.pem of a cluster. */
export function unreadableRootOf(cluster: string): ClusterTrustStore {
  return {cluster, text: 'broken', roots: []};
}

export function fingerprints(...cas: readonly {readonly certificate: Certificate}[]): readonly string[] {
  return cas.map(({certificate}) => certificate.fingerprint);
}

export function reported(code: ErrorCode): ErrorReport {
  return reportError(new MeshError(code, 'a reason'));
}

/** A plan without its texts. */
export interface PlanInShort {
  /** For each group its failure policy and its actions: `stop: issue-cluster-ca c1/ca`; `!`: requires confirmation. */
  readonly groups: readonly string[];
  /** `CODE` for the whole plan, `c1: CODE` for a cluster. */
  readonly blockers: readonly string[];
  /** The number of warnings. */
  readonly warnings: number;
  readonly passphrase: PlannedPassphrase['purpose'] | undefined;
}

export const emptyInShort: PlanInShort = {groups: [], blockers: [], warnings: 0, passphrase: undefined};

export function inShort({groups, blockers, warnings, passphrase}: Plan): PlanInShort {
  return {
    groups: groups.map((group) => `${group.onFailure}: ${actionsOf(group).map(actionInShort).join(', ')}`),
    blockers: blockers.map(({cluster, error}) => (cluster === undefined ? error.code : `${cluster}: ${error.code}`)),
    warnings: warnings.length,
    passphrase: passphrase?.purpose,
  };
}

function actionsOf({lanes}: Group): readonly Action[] {
  return lanes.flatMap(({actions}) => actions);
}

export function actionInShort({kind, id, confirm}: Action): string {
  return `${kind} ${id}${confirm === undefined ? '' : '!'}`;
}

/** All actions of a plan, in order. */
export function allActions({groups}: Plan): readonly Action[] {
  return groups.flatMap(actionsOf);
}
