/**
 * What each role of `access role` may do, as data: the requests of the commands that it is for, and of istioctl. Each role
 * has what the one before it has. test/e2e/access-role.test.ts runs every command with exactly these rights.
 */
import {defined} from '../defined.js';
import {type Right, rightsWithin} from '../facts/rights.js';
import {cacertsName, defaultBundleName, previousName} from '../istio/names.js';
import {installedKinds} from '../install/live.js';
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

const rbac = 'rbac.authorization.k8s.io';
const admission = 'admissionregistration.k8s.io';
const webhookKinds = ['mutatingwebhookconfigurations', 'validatingwebhookconfigurations'];
const here = 'Istio namespace';
const everywhere = 'everywhere';

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
  const together = new Map<string, readonly Right[]>();
  for (const right of wanted) {
    const key = JSON.stringify([right.verb, right.group, right.where, right.when ?? '', right.name ?? '']);
    together.set(key, [...(together.get(key) ?? []), right]);
  }
  return [...together.values()].flatMap((rights): readonly RoleRight[] => {
    const [first] = rights;
    if (!first) return [];
    const {verb, group, name, where, when} = first;
    return [
      defined({
        verbs: [verb],
        group,
        resources: rights.map(({resource}) => resource),
        names: name === undefined ? undefined : [name],
        where,
        why: `verify${when === undefined ? '' : ` ${when.replace(/^with --access$/, '--access, access show')}`}`,
      }),
    ];
  });
}

/** trust push, trust rollback, and certs generate with the root of a cluster. */
function operatorRights({namespace, revisions, signerSecret}: RoleOptions): readonly RoleRight[] {
  const secrets = [cacertsName, previousName];
  const secret = {group: '', resources: ['secrets'], where: here} as const;
  return [
    {
      verbs: ['get', 'patch'],
      group: '',
      resources: ['namespaces'],
      names: [namespace],
      where: everywhere,
      why: 'trust push labels it with its network',
    },
    {...secret, verbs: ['create'], why: 'trust push; to create cannot be restricted by name'},
    {
      ...secret,
      verbs: ['get', 'update', 'delete'],
      names: secrets,
      why: 'trust push keeps what was there before, trust rollback puts it back; another type has to be deleted first',
    },
    {
      ...secret,
      verbs: ['patch'],
      names: [cacertsName],
      why: 'trust push where the key is not in the work directory any more',
    },
    ...(signerSecret === undefined
      ? []
      : [{...secret, verbs: ['get'], names: [signerSecret], why: 'the signer of mesh.yaml: the root CA with its key'}]),
    {
      verbs: ['get'],
      group: '',
      resources: ['configmaps'],
      names: [defaultBundleName],
      where: here,
      why: 'trust push waits until istiod has loaded the CA',
    },
    {
      verbs: ['get', 'patch'],
      group: 'apps',
      resources: ['deployments'],
      names: revisionNames('istiod', revisions),
      where: here,
      why: 'trust push --restart-istiod',
    },
  ];
}

/**
 * install apply: what istioctl sends (istio/istio operator/pkg/install/install.go; server-side apply of each object, lists of
 * every kind that it may have to prune), and what we look at before and after.
 */
function installerRights({namespace, revisions, profile}: RoleOptions): readonly RoleRight[] {
  const clusterRoles = [
    ...revisionNames('istiod-clusterrole', revisions),
    ...revisionNames('istiod-gateway-controller', revisions),
    ...revisionNames('istio-reader-clusterrole', revisions),
  ].map((name) => `${name}-${namespace}`);
  const cni = profilesWithCni.includes(profile) ? ['istio-cni', 'istio-cni-ambient'] : [];
  // Server-side apply needs both; it reads nothing first.
  const apply = ['create', 'patch', 'delete'];
  const owned = installedKinds.map(({apiVersion, kind, scope}) => ({
    group: groupOf(apiVersion),
    resource: resourceOf({apiVersion, kind}).plural,
    scope,
  }));
  const byGroup = (select: (kind: (typeof owned)[number]) => boolean): ReadonlyMap<string, readonly string[]> => {
    const groups = new Map<string, readonly string[]>();
    for (const one of owned.filter(select)) {
      groups.set(one.group, [...(groups.get(one.group) ?? []), one.resource]);
    }
    return groups;
  };
  return [
    {
      verbs: ['get', 'update'],
      group: '',
      resources: ['configmaps'],
      names: revisionNames('kubectl-mesh-install', revisions),
      where: here,
      why: 'install apply notes what it did',
    },
    {
      verbs: ['list'],
      group: '',
      resources: ['events'],
      where: here,
      why: 'install apply says why something is not ready',
    },
    {verbs: ['list'], group: 'apps', resources: ['replicasets'], where: here, why: 'istioctl waits for Deployments'},
    {
      verbs: ['get'],
      group: 'apps',
      resources: ['deployments', 'daemonsets'],
      where: here,
      why: 'istioctl waits until they are ready',
    },
    ...[...byGroup(({scope}) => scope === 'namespace')].map(([group, resources]): RoleRight => ({
      verbs: apply,
      group,
      resources,
      where: here,
      why: 'istioctl applies these, and removes those that a newer installation does not have any more',
    })),
    ...[...byGroup(({group}) => group !== 'apiextensions.k8s.io')].map(([group, resources]): RoleRight => ({
      verbs: ['list'],
      group,
      resources,
      where: everywhere,
      why: 'istioctl looks in all namespaces for what it installed before',
    })),
    {
      verbs: ['list'],
      group: '',
      resources: ['pods', 'secrets'],
      where: everywhere,
      why: 'istioctl looks in all namespaces for what it installed before: this is the right to read every Secret',
    },
    {verbs: ['list'], group: 'networking.istio.io', resources: ['envoyfilters'], where: everywhere, why: 'the same'},
    {
      verbs: ['get', 'list', 'create', 'patch'],
      group: 'apiextensions.k8s.io',
      resources: ['customresourcedefinitions'],
      where: everywhere,
      why: "istioctl applies Istio's kinds",
    },
    {
      verbs: apply,
      group: admission,
      resources: webhookKinds,
      where: everywhere,
      why: "istioctl applies istiod's webhooks and revision tags",
    },
    {
      verbs: ['update'],
      group: admission,
      resources: ['mutatingwebhookconfigurations'],
      where: everywhere,
      why: 'istioctl ends injection by a revision that is not the default one any more',
    },
    {
      verbs: [...apply, 'escalate', 'bind'],
      group: rbac,
      resources: ['clusterroles'],
      names: [...clusterRoles, ...cni, ...(cni.length > 0 ? ['istio-cni-repair-role'] : [])],
      where: everywhere,
      why: 'istioctl gives istiod and its readers rights that this role does not have: escalate and bind, for these names only',
    },
    {
      verbs: apply,
      group: rbac,
      resources: ['clusterrolebindings'],
      names: [...clusterRoles, ...cni, ...(cni.length > 0 ? ['istio-cni-repair-rolebinding'] : [])],
      where: everywhere,
      why: 'istioctl binds them',
    },
    {
      verbs: ['escalate', 'bind'],
      group: rbac,
      resources: ['roles'],
      where: here,
      why: "istioctl gives istiod and gateways rights in Istio's namespace",
    },
  ];
}

/** The name that the default revision gives something, and those of declared ones. */
function revisionNames(name: string, revisions: readonly string[]): readonly string[] {
  const others = revisions.filter((revision) => revision !== 'default').map((revision) => `${name}-${revision}`);
  return [name, ...others];
}
