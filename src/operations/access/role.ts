/** `access role`: the least rights for running this program, as manifests. No cluster is asked. */
import {defined} from '../../domain/defined.js';
import {
  type AccessManifest,
  accessManifests,
  type ManifestOptions,
  manifestsYaml,
} from '../../domain/access/role-manifests.js';
import type {RoleLevel} from '../../domain/access/command-rights.js';
import {parseSubject, subjectRule, type Subject} from '../../domain/kube/subjects.js';
import {MeshError} from '../../domain/errors.js';
import {layout} from '../../domain/mesh/layout.js';
import type {Mesh} from '../../domain/mesh/mesh.js';
import {checkFormats, defaults} from '../../domain/mesh/resolve.js';
import type {Deps} from '../../engine/deps.js';
import {emptyPlan, onePhase} from '../../engine/operation.js';
import {loadMesh} from '../shared/load-mesh.js';

/** What is to be printed. */
export interface RoleRequest {
  readonly level: RoleLevel;
  /** `--name`; absent: made of the role. */
  readonly name: string | undefined;
  readonly istioNamespace: string | undefined;
  /** As typed. */
  readonly subjects: readonly string[];
  readonly noSecrets: boolean;
  readonly access: boolean;
}

/** The manifests as a List that kubectl takes, and as YAML with comments. */
export interface RoleResult {
  readonly apiVersion: 'v1';
  readonly kind: 'List';
  readonly items: readonly AccessManifest[];
}

/** What the view prints. */
export interface PrintedRole extends RoleResult {
  /** Not part of the JSON answer. */
  readonly yaml: () => string;
}

/** A name of a Role as kubectl takes it on a command line (k8s.io/apimachinery pkg/api/validation/path/name.go forbids less). */
const roleName = /^[a-z0-9]([-.:a-z0-9]{0,251}[a-z0-9])?$/;

/** `access role` */
export const printRole = onePhase<RoleRequest, PrintedRole, ManifestOptions>({
  command: 'access role',
  changes: false,
  title: () => 'read the mesh',
  gather: optionsOf,
  plan: () => emptyPlan,
  report: ({facts}) => ({
    apiVersion: 'v1',
    kind: 'List',
    items: accessManifests(facts),
    yaml: () => manifestsYaml(facts),
  }),
  conclude: () => [],
});

/** Throws `USAGE`, and what loading mesh.yaml throws. */
async function optionsOf(deps: Deps, request: RoleRequest): Promise<ManifestOptions> {
  const {level, name = `kubectl-mesh-${level}`, istioNamespace, noSecrets, access} = request;
  if (!roleName.test(name)) {
    throw new MeshError('USAGE', `--name ${JSON.stringify(name)} is no name of a Role`, {
      hints: ['it has lower-case letters, digits, "-", "." and ":"'],
    });
  }
  if (noSecrets && level !== 'reader') {
    throw new MeshError('USAGE', `--no-secrets is for --role reader: ${level} cannot do without Secrets`);
  }
  if (noSecrets && access) {
    throw new MeshError('USAGE', '--no-secrets and --access contradict each other: remote secrets are Secrets', {
      hints: ['leave one of them away'],
    });
  }
  const subjects = request.subjects.map(subjectOf);
  if (istioNamespace !== undefined)
    checkFormats({istioNamespace: {value: istioNamespace, source: '--istio-namespace'}});
  const mesh = await meshOf(deps, istioNamespace);
  const signer = mesh?.trust.signer;
  const namespace = mesh?.istio.namespace ?? istioNamespace ?? defaults.namespace;
  const signerIsHere = signer?.type === 'cluster' && (signer.namespace ?? namespace) === namespace;
  return defined({
    level,
    name,
    namespace,
    revisions: mesh?.istio.revisions ?? [],
    profile: mesh?.istio.profile ?? defaults.profile,
    subjects,
    limits: {noSecrets, access},
    signerSecret: signerIsHere && signer.secret !== undefined ? signer.secret : undefined,
  });
}

/** mesh.yaml as it is; roles can be made before there is one. */
async function meshOf(deps: Deps, istioNamespace: string | undefined): Promise<Mesh | undefined> {
  if ((await deps.workspace.readText(layout.meshYaml)) === undefined) return undefined;
  try {
    return (await loadMesh(deps, {clusters: [], istioNamespace})).mesh;
  } catch (thrown) {
    // It may declare no cluster yet.
    if (thrown instanceof MeshError && thrown.code === 'MISSING_VALUE') return undefined;
    throw thrown;
  }
}

function subjectOf(text: string): Subject {
  const subject = parseSubject(text);
  if (subject) return subject;
  throw new MeshError('USAGE', `--subject ${JSON.stringify(text)} is no subject`, {hints: [`it is ${subjectRule}`]});
}
