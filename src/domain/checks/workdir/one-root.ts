import {fixWith, inWorkDir, sequence, type Suggestion} from '../../suggest/suggestion.js';
import {clusterLayout, layout} from '../../mesh/layout.js';
import {workDirCheck, findingsOr, notApplicable, ok, type Finding, type OfCluster} from '../check.js';
import {describeRoots} from '../describe.js';
import type {ClusterCaFacts} from '../../facts/facts.js';
import {renewFix} from '../fixes.js';

/** All clusters accept each other: one root, or during a rotation bundles that hold each other's. */
export const oneRootCheck = workDirCheck({
  id: 'MESH105',
  title: 'The work directory gives all clusters one root of trust',
  scope: 'mesh',
  about: 'cacerts',
  needs: ['caFiles', 'meshRoots'],
  // The push that MESH301 names would take the other root to the cluster.
  implies: ['MESH301', 'MESH307'],
  expected: "every cluster's bundle holds the root of every other cluster's CA",
  judge: ({caFiles, meshRoots}, {mesh}) => {
    const made = caFiles.filter(({value}) => value.anchor !== undefined);
    // Clusters under the mesh's own root first: the others are the ones to mend.
    const isOurs = ({value}: OfCluster<ClusterCaFacts>): boolean => meshRoots.includes(value.anchor ?? '');
    const ordered = [...made.filter(isOurs), ...made.filter((one) => !isOurs(one))];
    const [first] = ordered;
    if (meshRoots.length > 0 && first && !isOurs(first) && made.every((one) => acceptEachOther(first, one))) {
      const observed = `every cluster has ${rootsOf(first)}, root-cert.pem of the mesh is ${describeRoots(meshRoots)}`;
      return {observed, fix: takeRootFrom(first)};
    }
    const findings = ordered.map((one, index): Finding | undefined => {
      const said = {clusters: [one.cluster.name], fix: renewFix({cluster: one.cluster, mesh})};
      if (meshRoots.length > 0 && !one.value.roots.some(({fingerprint}) => meshRoots.includes(fingerprint))) {
        const observed = `${one.cluster.name} has ${rootsOf(one)}, root-cert.pem of the mesh is ${describeRoots(meshRoots)}`;
        return {...said, observed};
      }
      const stranger = ordered.slice(0, index).find((other) => !acceptEachOther(one, other));
      if (!stranger) return undefined;
      const observed = `${one.cluster.name} has ${rootsOf(one)}, ${stranger.cluster.name} has ${rootsOf(stranger)}`;
      return {...said, observed};
    });
    return findingsOr(findings, first ? ok(rootsOf(first)) : notApplicable('no CA of a cluster is here'));
  },
  meaning:
    "The root that each cluster's CA chains to is in the root-cert.pem of every cluster, and the mesh's own root-cert.pem is in each.",
  breaks:
    'Workloads of two clusters with different roots refuse each other: TLS errors "certificate signed by unknown authority" between clusters, while each cluster by itself is fine.',
  byHand: 'openssl x509 -in "$CLUSTER/root-cert.pem" -noout -subject -fingerprint -sha256   # for each cluster',
  mend: 'Make the CA of the cluster that deviates anew under the mesh root (`certs generate CLUSTER --renew`), then push it. Where all clusters agree and only root-cert.pem of the mesh is another one, put theirs back.',
  source: 'istio.io: ops/diagnostic-tools/multicluster; istio/istio security/pkg/server/ca/server.go',
});

function acceptEachOther(one: OfCluster<ClusterCaFacts>, other: OfCluster<ClusterCaFacts>): boolean {
  const accepts = (side: ClusterCaFacts, {anchor}: ClusterCaFacts): boolean =>
    side.roots.some(({fingerprint}) => fingerprint === anchor);
  return accepts(one.value, other.value) && accepts(other.value, one.value);
}

/** Nothing is lost: what stood there may be the only copy of a root that was made on purpose. */
function takeRootFrom({cluster}: OfCluster<ClusterCaFacts>): Suggestion {
  const own = inWorkDir(layout.rootCert);
  return sequence(
    fixWith.run('mv', [own, inWorkDir(`${layout.rootCert}.aside`)]),
    fixWith.run('cp', [inWorkDir(clusterLayout(cluster.name).rootCert), own]),
  );
}

function rootsOf({value}: OfCluster<ClusterCaFacts>): string {
  return describeRoots(value.roots.map(({fingerprint}) => fingerprint));
}
