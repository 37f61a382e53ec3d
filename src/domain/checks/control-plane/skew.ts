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

/** One istiod that says which release it is. */
interface Versioned {
  readonly cluster: MeshCluster;
  readonly revision: string;
  readonly tag: string;
  readonly version: IstioVersion;
}

/** The clusters' control planes are close enough to each other. */
export const skewCheck = apiServerCheck({
  id: 'MESH409',
  title: 'The control planes of the clusters are no further apart than Istio supports',
  severity: 'warning',
  scope: 'mesh',
  needs: ['controlPlanes'],
  waitable: false,
  expected: 'control planes no more than one minor version apart',
  judge: ({controlPlanes}) => {
    const istiods = controlPlanes.flatMap(versioned);
    const clusters = new Set(istiods.map(({cluster}) => cluster.name));
    if (clusters.size < 2) return notApplicable('fewer than two clusters run an istiod whose image names a release');
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
    // One for each cluster to upgrade: between fifty clusters there can be hundreds of pairs.
    const findings = [...clusters].flatMap((name) =>
      findingOf(skewed.filter(([older]) => older.cluster.name === name)),
    );
    return findingsOr(findings, ok(istiods.map(describe).join(', ')));
  },
  meaning:
    'Between any two clusters, the istiods of the same revision (where they share none: the two closest ones) are at most one minor version apart. Several revisions in one cluster are no skew, nor is a Deployment that is being rolled. An istiod whose image names no release is left out.',
  breaks:
    'Nobody tests control planes further apart in one mesh: what one writes (endpoints, gateways between networks, trust bundles) the proxies of the other may not understand.',
  byHand:
    'kubectl --context "$CTX" -n istio-system get deployment -l app=istiod -L istio.io/rev -o wide   # for each cluster',
  mend: 'Upgrade the older control plane, one minor version after the other where time allows, with the istioctl of each; the printed command goes there in one step.',
  source: `${supportedSkew.source}; istio/istio.io#12971`,
});

function versioned({cluster, value}: OfCluster<readonly ControlPlaneFacts[]>): readonly Versioned[] {
  return value.flatMap(({revision, tag}) => {
    const version = parseVersion(tag);
    return version ? [{cluster, revision, tag, version}] : [];
  });
}

function pairs(names: readonly string[]): readonly (readonly [string, string])[] {
  return names.flatMap((left, index) => names.slice(index + 1).map((right) => [left, right] as const));
}

type Pair = readonly [Versioned, Versioned];

/** The pair that decides: of shared revisions the one furthest apart, else of all pairs the closest. */
function nearest(left: readonly Versioned[], right: readonly Versioned[]): Pair | undefined {
  const all = left.flatMap((one) => right.map((other): Pair => [one, other]));
  const shared = all.filter(([one, other]) => one.revision === other.revision);
  const byDistance = (some: readonly Pair[]): Pair[] => some.toSorted((one, other) => distance(one) - distance(other));
  return shared.length > 0 ? byDistance(shared).at(-1) : byDistance(all)[0];
}

/** What is said of one cluster, by all pairs in which it is the older one (none: nothing); the pair furthest apart decides the command. */
function findingOf(all: readonly Pair[]): readonly Finding[] {
  const described = (side: 0 | 1): string => some([...new Set(all.map((pair) => describe(pair[side])))]);
  const furthest = all.toSorted((one, other) => distance(other) - distance(one)).slice(0, 1);
  return furthest.map(([older, newer]) => ({
    observed: `${described(0)}, ${described(1)}`,
    fix: upgradeFix({cluster: older.cluster}, older.tag, newer.tag),
  }));
}

function distance([left, right]: Pair): number {
  return minorsApart(left.version, right.version);
}

function describe({cluster, revision, tag}: Versioned): string {
  return `${cluster.name} runs ${tag}${revision === 'default' ? '' : ` (revision ${revision})`}`;
}
