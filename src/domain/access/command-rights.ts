/**
 * The rights of each role of `access role`: those that its commands, and istioctl, need. The operator includes the reader, and
 * the installer the operator. test/e2e/access-role.test.ts runs every command with exactly these rights.
 */
import {defined} from '../defined.js';
import {groupBy} from '../group-by.js';
import {apiServerCaConfigMap, readerServiceAccount, remoteSecretName, readerSecretNames} from '../discovery/names.js';
import {type Right, rightsWithin} from '../facts/rights.js';
import {cacertsName, defaultBundleName, previousName} from '../istio/names.js';
import {type InstalledKind, installedKinds} from '../install/live.js';
import {groupOf, resourceOf} from '../kube/kinds.js';
import type {Limits} from '../facts/limits.js';
import type {NamedCluster} from '../mesh/istio-name.js';
import {trafficNamespace} from '../traffic/names.js';

/** The roles in ascending order; then the renewer, which has few rights of them, and the reader that also sends requests. */
export const roleLevels = ['reader', 'operator', 'installer', 'renewer', 'traffic'] as const;
export type RoleLevel = (typeof roleLevels)[number];

/** The options that decide which rights a role has. */
export interface RoleOptions {
  readonly level: RoleLevel;
  /** Istio's namespace. */
  readonly namespace: string;
  /** The clusters of mesh.yaml, whose names the remote secrets have; empty without it. */
  readonly clusters: readonly NamedCluster[];
  /** Declared revisions of the control plane; empty if there is only the default one. */
  readonly revisions: readonly string[];
  /** istioctl's installation profile: some profiles also install Istio's CNI plugin. */
  readonly profile: string;
  /** What verify reads: `--no-secrets`, for readers only, and `--access`. */
  readonly limits: Limits;
  /** The Secret with the root CA of a signer of type `cluster`, if it is in Istio's namespace of this cluster. */
  readonly signerSecret?: string;
}

/** A set of rights and its purpose. */
export interface RoleRight {
  readonly verbs: readonly string[];
  /** Empty for the core group. */
  readonly group: string;
  readonly resources: readonly string[];
  /** Absent for all names: the verb cannot be restricted by name, or the names are not known in advance. */
  readonly names?: readonly string[];
  readonly where: Right['where'] | 'traffic namespace';
  readonly why: string;
}

/** Profiles that install Istio's CNI plugin (istio/istio manifests/profiles, manifests/charts/istio-cni/templates). */
const profilesWithCni: readonly string[] = ['ambient', 'openshift', 'openshift-ambient'];

/** Resources of one API group; the core group's name is empty. */
const api = (group: string, ...resources: readonly string[]) => ({group, resources});

/** A row of the tables below; verbs are separated by spaces. */
const row =
  (where: RoleRight['where']) =>
  (verbs: string, resources: ReturnType<typeof api>, why: string, names?: readonly string[]): RoleRight =>
    defined({verbs: verbs.split(' '), ...resources, names, where, why});
const here = row('Istio namespace');
const everywhere = row('everywhere');
const inTraffic = row('traffic namespace');

/** Whether a role is of use without access to Secrets: to have it is then no reason for that access. */
export function worksWithoutSecrets(level: RoleLevel): boolean {
  return level === 'reader' || level === 'traffic';
}

/** The rights of a role, including those of the lesser roles. */
export function rightsOfRole(options: RoleOptions): readonly RoleRight[] {
  const {level} = options;
  if (level === 'renewer') return renewerRights(options);
  return [
    ...readerRights(options),
    ...(level === 'traffic' ? trafficRights() : []),
    ...(level === 'operator' || level === 'installer' ? operatorRights(options) : []),
    ...(level === 'installer' ? installerRights(options) : []),
  ];
}

/** The rights for verify, trust diff and journal verify, and with `--access` for access show. */
function readerRights({limits, level, clusters}: RoleOptions): readonly RoleRight[] {
  const rights = rightsWithin(worksWithoutSecrets(level) ? limits : {access: limits.access === true}, clusters);
  const groups = groupBy(rights, ({verb, group, where, when = '', name = '', isOfCluster = false}) =>
    JSON.stringify([verb, group, where, when, isOfCluster || name]),
  );
  return [...groups.values()].map((same) => {
    const {verb, group, where, when} = same[0];
    const why = when === 'with --access' ? 'verify --access, access show' : readersOf(same, when);
    const resources = api(group, ...new Set(same.map(({resource}) => resource)));
    const names = [...new Set(same.flatMap(({name}) => name ?? []))];
    return row(where)(verb, resources, why, names.length === 0 ? undefined : names);
  });
}

/** The read-only commands that need these rights, for a rule's comment. */
function readersOf(rights: readonly Right[], when: string | undefined): string {
  const verify = when === undefined ? 'verify' : `verify ${when}`;
  const needs = (resource: string): boolean => rights.some((right) => right.resource === resource);
  if (needs('pods/portforward')) return `${verify}, and certs list --live: the CA that each istiod pod presents`;
  if (needs('secrets') && when === undefined)
    return `${verify}, trust diff, journal verify, certs list --live, certs adopt`;
  return verify;
}

/**
 * The rights for verify --traffic in a namespace that exists. RBAC grants rights in one namespace only if it exists: a user who creates
 * the namespace, and then pods in it, needs the right to create pods in all namespaces.
 */
function trafficRights(): readonly RoleRight[] {
  const makes = 'verify --traffic creates these, and removes them at the end';
  return [
    everywhere('get', api('', 'namespaces'), 'verify --traffic', ['kube-system', trafficNamespace]),
    here(
      'list',
      api('security.istio.io', 'authorizationpolicies'),
      'verify --traffic names policies that may deny a request',
    ),
    inTraffic('get list create delete', api('', 'services', 'serviceaccounts'), makes),
    inTraffic('get list create delete', api('apps', 'deployments'), makes),
    inTraffic(
      'get list create delete',
      api('security.istio.io', 'authorizationpolicies', 'peerauthentications'),
      makes,
    ),
    inTraffic('get list', api('', 'pods'), 'verify --traffic waits for its pods'),
    inTraffic('list', api('', 'events'), 'verify --traffic reports why a pod is not ready'),
    inTraffic(
      'create',
      api('', 'pods'),
      'verify --traffic has the API server validate a pod, to see whether it gets a proxy',
    ),
    inTraffic('create', api('', 'pods/portforward'), 'verify --traffic has its pods send requests'),
  ];
}

/** The rights for trust push, trust rollback, trust rotate, link, and certs generate with a signer of type `cluster`. */
function operatorRights(options: RoleOptions): readonly RoleRight[] {
  const {namespace, revisions, signerSecret, clusters} = options;
  const secrets = api('', 'secrets');
  const replaces =
    'trust push saves the previous Secret, trust rollback restores it; a Secret of another type must be deleted first';
  const signer = 'the signer in mesh.yaml: the root CA with its key';
  return [
    everywhere('get patch', api('', 'namespaces'), 'trust push labels the namespace with its network', [namespace]),
    here('create', secrets, 'trust push; create cannot be restricted by name'),
    here('get update delete', secrets, replaces, [cacertsName, previousName]),
    here('patch', secrets, 'trust push if the key is no longer in the work directory', [cacertsName]),
    ...(signerSecret === undefined ? [] : [here('get', secrets, signer, [signerSecret])]),
    here('get', api('', 'configmaps'), 'trust push waits until istiod has loaded the CA', [defaultBundleName]),
    here(
      'get patch',
      api('apps', 'deployments'),
      'trust push --restart-istiod, link --restart-istiod',
      revisionNames('istiod', revisions),
    ),
    ...(clusters.length < 2 ? [] : discoveryRights(clusters)),
  ];
}

/** The rights for link and unlink, in the reader and in the peer. The manifests are the same for each cluster. */
function discoveryRights(clusters: RoleOptions['clusters']): readonly RoleRight[] {
  return [
    ...tokenRights(),
    here('get update patch delete', api('', 'secrets'), 'link and unlink: remote secrets', remoteSecrets(clusters)),
    here(
      'get delete',
      api('', 'secrets'),
      'link and unlink: the Secrets to which tokens are bound',
      clusters.flatMap(readerSecretNames),
    ),
  ];
}

/** The rights for requesting tokens in a peer. */
function tokenRights(): readonly RoleRight[] {
  const account = [readerServiceAccount];
  return [
    here('get', api('', 'serviceaccounts'), 'link: the account as which other clusters read this one', account),
    here('create', api('', 'serviceaccounts/token'), 'link requests a token for each reader', account),
    everywhere('create', api('authentication.k8s.io', 'tokenreviews'), 'link has the API server confirm a token'),
    here('get', api('', 'configmaps'), "link: the API server's CA", [apiServerCaConfigMap]),
  ];
}

/** The rights for link --renew-only: it creates and deletes nothing, and reads no CA key. */
function renewerRights({clusters}: RoleOptions): readonly RoleRight[] {
  const proof = 'link has istiod confirm that it reads a cluster with a new token';
  return [
    everywhere('get', api('', 'namespaces'), 'its UID identifies the cluster', ['kube-system']),
    here('list', api('apps', 'deployments'), 'link: the running versions of istiod'),
    here('list', api('', 'configmaps', 'pods'), "link: istiod's pods and their mesh config"),
    here('get', api('', 'pods'), proof),
    here('create', api('', 'pods/portforward'), proof),
    ...tokenRights(),
    here('get update', api('', 'secrets'), 'link: remote secrets', remoteSecrets(clusters)),
    here('get', api('', 'secrets'), 'link: the Secrets to which tokens are bound', clusters.flatMap(readerSecretNames)),
  ];
}

function remoteSecrets(clusters: RoleOptions['clusters']): readonly string[] {
  return clusters.map(remoteSecretName);
}

/**
 * The rights for install apply: istioctl's requests (istio/istio operator/pkg/install/install.go; server-side apply of each
 * object, lists of every kind that it may prune), and the requests of this program before and after them.
 */
function installerRights({namespace, revisions, profile}: RoleOptions): readonly RoleRight[] {
  const clusterRoles = ['istiod-clusterrole', 'istiod-gateway-controller', 'istio-reader-clusterrole']
    .flatMap((name) => revisionNames(name, revisions))
    .map((name) => `${name}-${namespace}`);
  const cni = (repair: string): readonly string[] =>
    profilesWithCni.includes(profile) ? ['istio-cni', 'istio-cni-ambient', repair] : [];
  // Server-side apply needs create and patch, but not get.
  const apply = 'create patch delete';
  const byGroup = (kinds: readonly InstalledKind[]): readonly ReturnType<typeof api>[] =>
    [...groupBy(kinds, ({apiVersion}) => groupOf(apiVersion))].map(([group, members]) =>
      api(group, ...members.map((kind) => resourceOf(kind).plural)),
    );
  const istioKinds = api('apiextensions.k8s.io', 'customresourcedefinitions');
  const admission = 'admissionregistration.k8s.io';
  const rbac = 'rbac.authorization.k8s.io';
  const applies = 'istioctl applies these, and prunes those that the new installation no longer contains';
  const prunes = 'istioctl searches all namespaces for objects of earlier installations';
  return [
    here(
      'get update',
      api('', 'configmaps'),
      'install apply records what it installed',
      revisionNames('kubectl-mesh-install', revisions),
    ),
    ...['networking.istio.io', 'gateway.networking.k8s.io'].map((group) =>
      here('get create update delete', api(group, 'gateways'), 'install apply exposes services to other networks'),
    ),
    here('list', api('', 'services'), 'install apply waits for the address of the east-west gateway'),
    here('list', api('', 'events'), 'install apply reports why something is not ready'),
    here('list', api('apps', 'replicasets'), 'istioctl waits for Deployments'),
    here('get', api('apps', 'deployments', 'daemonsets'), 'istioctl waits for these to be ready'),
    ...byGroup(installedKinds.filter(({scope}) => scope === 'namespace')).map((kinds) => here(apply, kinds, applies)),
    ...byGroup(installedKinds)
      .filter(({group}) => group !== istioKinds.group)
      .map((kinds) => everywhere('list', kinds, prunes)),
    everywhere('list', api('', 'pods', 'secrets'), `${prunes}; this includes reading every Secret`),
    everywhere('get list create patch', istioKinds, "istioctl applies Istio's CustomResourceDefinitions"),
    everywhere(
      apply,
      api(admission, 'mutatingwebhookconfigurations', 'validatingwebhookconfigurations'),
      "istioctl applies istiod's webhooks and revision tags",
    ),
    everywhere(
      'update',
      api(admission, 'mutatingwebhookconfigurations'),
      'istioctl disables injection by a revision that is no longer the default',
    ),
    everywhere(
      `${apply} escalate bind`,
      api(rbac, 'clusterroles'),
      'istioctl grants istiod and its readers permissions that this role does not have: escalate and bind, for these names only',
      [...clusterRoles, ...cni('istio-cni-repair-role')],
    ),
    everywhere(apply, api(rbac, 'clusterrolebindings'), 'istioctl binds these roles', [
      ...clusterRoles,
      ...cni('istio-cni-repair-rolebinding'),
    ]),
    here('escalate bind', api(rbac, 'roles'), "istioctl grants istiod and gateways permissions in Istio's namespace"),
  ];
}

/** An object's name in the default revision and in each declared one. */
function revisionNames(name: string, revisions: readonly string[]): readonly string[] {
  const declared = revisions.filter((revision) => revision !== 'default').map((revision) => `${name}-${revision}`);
  return [name, ...declared];
}
