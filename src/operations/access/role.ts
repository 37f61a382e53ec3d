/** `access role`: prints least-privilege RBAC manifests for running this program. Reads no cluster. */
import {defined} from '../../domain/defined.js';
import {
  type AccessManifest,
  accessManifests,
  type ManifestOptions,
  manifestsYaml,
} from '../../domain/access/role-manifests.js';
import {type RoleLevel, worksWithoutSecrets} from '../../domain/access/command-rights.js';
import {parseSubject, subjectRule, type Subject} from '../../domain/kube/subjects.js';
import {MeshError} from '../../domain/errors.js';
import {layout} from '../../domain/mesh/layout.js';
import type {Mesh} from '../../domain/mesh/mesh.js';
import {checkFormats, defaults} from '../../domain/mesh/resolve.js';
import type {Deps} from '../../engine/deps.js';
import {emptyPlan, onePhase} from '../../engine/operation.js';
import {loadMesh} from '../shared/load-mesh.js';

/** Which manifests to print. */
export interface RoleRequest {
  readonly level: RoleLevel;
  /** `--name`; default: derived from the role. */
  readonly name: string | undefined;
  readonly istioNamespace: string | undefined;
  /** As typed. */
  readonly subjects: readonly string[];
  readonly noSecrets: boolean;
  readonly access: boolean;
}

/** The manifests as a List that kubectl accepts. */
export interface RoleResult {
  readonly apiVersion: 'v1';
  readonly kind: 'List';
  readonly items: readonly AccessManifest[];
}

/** What the view prints. */
export interface PrintedRole extends RoleResult {
  /** The manifests as YAML with comments. Not part of the JSON output. */
  readonly yaml: () => string;
}

/** A Role name that needs no quoting on a command line (k8s.io/apimachinery pkg/api/validation/path/name.go forbids less). */
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

/** Throws `USAGE`, and the errors of {@link loadMesh}. */
async function optionsOf(deps: Deps, request: RoleRequest): Promise<ManifestOptions> {
  const {level, name = `kubectl-mesh-${level}`, istioNamespace, noSecrets, access} = request;
  if (!roleName.test(name)) {
    throw new MeshError('USAGE', `invalid --name ${JSON.stringify(name)}: must be the name of a Role`, {
      hints: ['use lower-case letters, digits, "-", "." and ":"'],
    });
  }
  if (noSecrets && !worksWithoutSecrets(level)) {
    throw new MeshError('USAGE', `--no-secrets requires --role reader or traffic: ${level} needs access to Secrets`);
  }
  if (access && level === 'renewer') {
    throw new MeshError('USAGE', '--access cannot be combined with --role renewer, which is for link --renew-only');
  }
  if (noSecrets && access) {
    throw new MeshError('USAGE', '--no-secrets cannot be combined with --access, which reads remote secrets', {
      hints: ['omit one of them'],
    });
  }
  const subjects = request.subjects.map(subjectOf);
  if (istioNamespace !== undefined)
    checkFormats({istioNamespace: {value: istioNamespace, source: '--istio-namespace'}});
  const mesh = await meshOf(deps, istioNamespace);
  if (level === 'renewer' && (mesh?.clusters.length ?? 0) < 2) {
    throw new MeshError(
      'USAGE',
      `--role renewer requires several clusters in ${layout.meshYaml}: their remote secrets`,
    );
  }
  const signer = mesh?.trust.signer;
  const namespace = mesh?.istio.namespace ?? istioNamespace ?? defaults.namespace;
  const signerIsHere = signer?.type === 'cluster' && (signer.namespace ?? namespace) === namespace;
  return defined({
    level,
    name,
    namespace,
    clusters: mesh?.clusters ?? [],
    revisions: mesh?.istio.revisions ?? [],
    profile: mesh?.istio.profile ?? defaults.profile,
    subjects,
    limits: {noSecrets, access},
    signerSecret: signerIsHere && signer.secret !== undefined ? signer.secret : undefined,
  });
}

/** The mesh in mesh.yaml; undefined without the file: roles can be created before it exists. */
async function meshOf(deps: Deps, istioNamespace: string | undefined): Promise<Mesh | undefined> {
  if ((await deps.workspace.readText(layout.meshYaml)) === undefined) return undefined;
  try {
    return (await loadMesh(deps, {clusters: [], istioNamespace})).mesh;
  } catch (thrown) {
    // mesh.yaml may not declare any cluster yet.
    if (thrown instanceof MeshError && thrown.code === 'MISSING_VALUE') return undefined;
    throw thrown;
  }
}

function subjectOf(text: string): Subject {
  const subject = parseSubject(text);
  if (subject) return subject;
  throw new MeshError('USAGE', `invalid --subject ${JSON.stringify(text)}: must be ${subjectRule}`);
}
