import {
  isSkewed,
  minorsApart,
  supportedSkew,
  compareVersions,
  parseVersion,
  type IstioVersion,
} from '../../istio/version.js';
import type {MeshCluster} from '../../mesh/mesh.js';
import {type Finding, type OfCluster, apiServerCheck, findingsOr, notApplicable, ok} from '../check.js';
import {some} from '../../format.js';
import type {ControlPlaneFacts} from '../../facts/facts.js';
import {upgradeFix} from '../fixes.js';
import {statedVersion} from './running-versions.js';

/** One istiod whose image tag or label names a release. */
interface Versioned {
  readonly cluster: MeshCluster;
  readonly revision: string;
  readonly text: string;
  readonly version: IstioVersion;
}

/** The versions of the clusters' control planes are within the supported skew. */
export const skewCheck = apiServerCheck({
  id: 'MESH409',
  title: "The version skew between the clusters' control planes is supported",
  severity: 'warning',
  scope: 'mesh',
  requires: ['controlPlanes'],
  waitable: false,
  expected: 'control planes at most one minor version apart',
  judge: ({controlPlanes}) => {
    const istiods = controlPlanes.flatMap(versioned);
    const clusters = new Set(istiods.map(({cluster}) => cluster.name));
    if (clusters.size < 2)
      return notApplicable('fewer than two clusters run an istiod whose tag or label names a release');
    const skewed = pairs([...clusters])
      .map(([left, right]) =>
        nearest(
          istiods.filter(({cluster}) => cluster.name === left),
          istiods.filter(({cluster}) => cluster.name === right),
        ),
      )
      .filter((pair) => pair !== undefined)
      .filter(([left, right]) => isSkewed(left.version, right.version))
      .map(([left, right]): Pair => (compareVersions(left.version, right.version) < 0 ? [left, right] : [right, left]));
    // One finding per cluster to upgrade: fifty clusters can have hundreds of skewed pairs.
    const findings = [...clusters].flatMap((name) =>
      findingOf(skewed.filter(([older]) => older.cluster.name === name)),
    );
    return findingsOr(findings, ok(istiods.map(describe).join(', ')));
  },
  meaning:
    'Between any two clusters, the istiods of the same revision (or, if they share no revision, the two closest ones) are at most one minor version apart. Several revisions in one cluster, and a Deployment during a rollout, are not skew. An istiod is ignored if neither its image tag nor a label names a release.',
  breaks:
    'Istio does not test control planes that are further apart in one mesh: proxies of one may not understand what the other sends (endpoints, gateways between networks, trust bundles).',
  byHand:
    'kubectl --context "$CTX" -n istio-system get deployment -l app=istiod -L istio.io/rev -o wide   # for each cluster',
  fix: 'Upgrade the older control plane, preferably one minor version at a time, with the istioctl of each version. The suggested command upgrades in one step.',
  source: `${supportedSkew.source}; istio/istio.io#12971`,
});

function versioned({cluster, value}: OfCluster<readonly ControlPlaneFacts[]>): readonly Versioned[] {
  return value.flatMap((controlPlane) => {
    const text = statedVersion(controlPlane);
    const version = parseVersion(text);
    return version ? [{cluster, revision: controlPlane.revision, text, version}] : [];
  });
}

function pairs(names: readonly string[]): readonly (readonly [string, string])[] {
  return names.flatMap((left, index) => names.slice(index + 1).map((right) => [left, right] as const));
}

type Pair = readonly [Versioned, Versioned];

/** The pair to compare: of shared revisions the pair furthest apart, otherwise the closest of all pairs. */
function nearest(left: readonly Versioned[], right: readonly Versioned[]): Pair | undefined {
  const all = left.flatMap((one) => right.map((other): Pair => [one, other]));
  const shared = all.filter(([one, other]) => one.revision === other.revision);
  const byDistance = (list: readonly Pair[]): Pair[] => list.toSorted((one, other) => distance(one) - distance(other));
  return shared.length > 0 ? byDistance(shared).at(-1) : byDistance(all)[0];
}

/** The finding of one cluster, from the pairs in which it is the older one (none: no finding). The pair furthest apart determines the fix. */
function findingOf(all: readonly Pair[]): readonly Finding[] {
  const described = (side: 0 | 1): string => some([...new Set(all.map((pair) => describe(pair[side])))]);
  const furthest = all.toSorted((one, other) => distance(other) - distance(one)).slice(0, 1);
  return furthest.map(([older, newer]) => ({
    observed: `${described(0)}, ${described(1)}`,
    fix: upgradeFix({cluster: older.cluster}, older.text, newer.text),
  }));
}

function distance([left, right]: Pair): number {
  return minorsApart(left.version, right.version);
}

function describe({cluster, revision, text}: Versioned): string {
  return `${cluster.name} runs ${text}${revision === 'default' ? '' : ` (revision ${revision})`}`;
}
