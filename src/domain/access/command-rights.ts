/**
 * What each role of `access role` may do, as data: the requests of the commands that it is for, and of istioctl. Each role
 * has what the one before it has. test/e2e/access-role.test.ts runs every command with exactly these rights.
 */
import {defined} from '../defined.js';
import {groupBy} from '../group-by.js';
import {type Right, rightsWithin} from '../facts/rights.js';
import {cacertsName, defaultBundleName, previousName} from '../istio/names.js';
import {type InstalledKind, installedKinds} from '../install/live.js';
import {groupOf, resourceOf} from '../kube/kinds.js';
import type {Limits} from '../facts/limits.js';

/** The roles, the least first. */
export const roleLevels = ['reader', 'operator', 'installer'] as const;
export type RoleLevel = (typeof roleLevels)[number];

/** What decides which rights a role has. */
export interface RoleOptions {
  readonly level: RoleLevel;
  /** Istio's. */
  readonly namespace: string;
  /** Declared revisions of the control plane; empty: only the default one. */
  readonly revisions: readonly string[];
  /** istioctl's installation profile: some install Istio's CNI plugin, too. */
  readonly profile: string;
  /** What verify is to read: `--no-secrets`, with which only a reader can do, and `--access`. */
  readonly limits: Limits;
  /** The Secret in which a signer of type `cluster` keeps the root, where that is in Istio's namespace of this cluster. */
  readonly signerSecret?: string;
}

/** Rights that belong together, and what for. */
export interface RoleRight {
  readonly verbs: readonly string[];
  /** Empty for the core group. */
  readonly group: string;
  readonly resources: readonly string[];
  /** Absent: all, because the verb cannot be restricted by name, or because names are not known before. */
  readonly names?: readonly string[];
  readonly where: Right['where'];
  readonly why: string;
}

/** Profiles that install Istio's CNI plugin (istio/istio manifests/profiles, manifests/charts/istio-cni/templates). */
const profilesWithCni: readonly string[] = ['ambient', 'openshift', 'openshift-ambient'];

/** Kinds of one API group; its name is empty for the core group. */
const of = (group: string, ...resources: readonly string[]) => ({group, resources});

/** A row of the tables below; verbs have spaces between them. */
const row =
  (where: RoleRight['where']) =>
  (verbs: string, kinds: ReturnType<typeof of>, why: string, names?: readonly string[]): RoleRight =>
    defined({verbs: verbs.split(' '), ...kinds, names, where, why});
const here = row('Istio namespace');
const everywhere = row('everywhere');

/** The rights of a role, without those that another of them contains. */
export function rightsOfRole(options: RoleOptions): readonly RoleRight[] {
  const {level} = options;
  return [
    ...readerRights(options),
    ...(level === 'reader' ? [] : operatorRights(options)),
    ...(level === 'installer' ? installerRights(options) : []),
  ];
}

/** verify, trust diff, journal verify, and what access show needs where that was asked for. */
function readerRights({limits, level}: RoleOptions): readonly RoleRight[] {
  const wanted = rightsWithin(level === 'reader' ? limits : {access: limits.access === true});
  const together = groupBy(wanted, ({verb, group, where, when = '', name = ''}) =>
    JSON.stringify([verb, group, where, when, name]),
  );
  return [...together.values()].map((rights) => {
    const {verb, group, name, where, when} = rights[0];
    const why = `verify${when === undefined ? '' : ` ${when.replace(/^with --access$/, '--access, access show')}`}`;
    const kinds = of(group, ...rights.map(({resource}) => resource));
    return row(where)(verb, kinds, why, name === undefined ? undefined : [name]);
  });
}

/** trust push, trust rollback, and certs generate with the root of a cluster. */
function operatorRights({namespace, revisions, signerSecret}: RoleOptions): readonly RoleRight[] {
  const secrets = of('', 'secrets');
  const keepsBefore =
    'trust push keeps what was there before, trust rollback puts it back; another type has to be deleted first';
  const signer = 'the signer of mesh.yaml: the root CA with its key';
  return [
    everywhere('get patch', of('', 'namespaces'), 'trust push labels it with its network', [namespace]),
    here('create', secrets, 'trust push; to create cannot be restricted by name'),
    here('get update delete', secrets, keepsBefore, [cacertsName, previousName]),
    here('patch', secrets, 'trust push where the key is not in the work directory any more', [cacertsName]),
    ...(signerSecret === undefined ? [] : [here('get', secrets, signer, [signerSecret])]),
    here('get', of('', 'configmaps'), 'trust push waits until istiod has loaded the CA', [defaultBundleName]),
    here('get patch', of('apps', 'deployments'), 'trust push --restart-istiod', revisionNames('istiod', revisions)),
  ];
}

/**
 * install apply: what istioctl sends (istio/istio operator/pkg/install/install.go; server-side apply of each object, lists of
 * every kind that it may have to prune), and what we look at before and after.
 */
function installerRights({namespace, revisions, profile}: RoleOptions): readonly RoleRight[] {
  const clusterRoles = ['istiod-clusterrole', 'istiod-gateway-controller', 'istio-reader-clusterrole']
    .flatMap((name) => revisionNames(name, revisions))
    .map((name) => `${name}-${namespace}`);
  const cni = (repair: string): readonly string[] =>
    profilesWithCni.includes(profile) ? ['istio-cni', 'istio-cni-ambient', repair] : [];
  // Server-side apply needs both; it reads nothing first.
  const apply = 'create patch delete';
  const byGroup = (kinds: readonly InstalledKind[]): readonly ReturnType<typeof of>[] =>
    [...groupBy(kinds, ({apiVersion}) => groupOf(apiVersion))].map(([group, some]) =>
      of(group, ...some.map((kind) => resourceOf(kind).plural)),
    );
  const ownKinds = of('apiextensions.k8s.io', 'customresourcedefinitions');
  const admission = 'admissionregistration.k8s.io';
  const rbac = 'rbac.authorization.k8s.io';
  const applies = 'istioctl applies these, and removes those that a newer installation does not have any more';
  const looks = 'istioctl looks in all namespaces for what it installed before';
  return [
    here(
      'get update',
      of('', 'configmaps'),
      'install apply notes what it did',
      revisionNames('kubectl-mesh-install', revisions),
    ),
    here('list', of('', 'events'), 'install apply says why something is not ready'),
    here('list', of('apps', 'replicasets'), 'istioctl waits for Deployments'),
    here('get', of('apps', 'deployments', 'daemonsets'), 'istioctl waits until they are ready'),
    ...byGroup(installedKinds.filter(({scope}) => scope === 'namespace')).map((kinds) => here(apply, kinds, applies)),
    ...byGroup(installedKinds)
      .filter(({group}) => group !== ownKinds.group)
      .map((kinds) => everywhere('list', kinds, looks)),
    everywhere('list', of('', 'pods', 'secrets'), `${looks}: this is the right to read every Secret`),
    everywhere('list', of('networking.istio.io', 'envoyfilters'), 'the same'),
    everywhere('get list create patch', ownKinds, "istioctl applies Istio's kinds"),
    everywhere(
      apply,
      of(admission, 'mutatingwebhookconfigurations', 'validatingwebhookconfigurations'),
      "istioctl applies istiod's webhooks and revision tags",
    ),
    everywhere(
      'update',
      of(admission, 'mutatingwebhookconfigurations'),
      'istioctl ends injection by a revision that is not the default one any more',
    ),
    everywhere(
      `${apply} escalate bind`,
      of(rbac, 'clusterroles'),
      'istioctl gives istiod and its readers rights that this role does not have: escalate and bind, for these names only',
      [...clusterRoles, ...cni('istio-cni-repair-role')],
    ),
    everywhere(apply, of(rbac, 'clusterrolebindings'), 'istioctl binds them', [
      ...clusterRoles,
      ...cni('istio-cni-repair-rolebinding'),
    ]),
    here('escalate bind', of(rbac, 'roles'), "istioctl gives istiod and gateways rights in Istio's namespace"),
  ];
}

/** The name that the default revision gives something, and those of declared ones. */
function revisionNames(name: string, revisions: readonly string[]): readonly string[] {
  const others = revisions.filter((revision) => revision !== 'default').map((revision) => `${name}-${revision}`);
  return [name, ...others];
}
