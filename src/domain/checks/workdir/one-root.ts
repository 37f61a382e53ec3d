import {fixWith, inWorkDir, sequence, type Suggestion} from '../../suggest/suggestion.js';
import {clusterLayout, layout} from '../../mesh/layout.js';
import {workDirCheck, findingsOr, notApplicable, ok, type Finding, type OfCluster} from '../check.js';
import {describeRoots} from '../describe.js';
import type {ClusterCaFacts} from '../../facts/facts.js';
import {newCa} from '../remedies.js';

/** All clusters accept each other: they share one root or, during a rotation, their bundles hold each other's root. */
export const oneRootCheck = workDirCheck({
  id: 'MESH105',
  title: 'All clusters of the work directory share one root of trust',
  scope: 'mesh',
  appliesTo: 'cacerts',
  requires: ['caFiles', 'meshRoots'],
  // The push that MESH301 suggests would bring the different root to the cluster.
  implies: ['MESH301', 'MESH307'],
  expected: "every cluster's bundle holds the root of every other cluster's CA",
  judge: ({caFiles, meshRoots}, subject) => {
    const anchored = caFiles.filter(({value}) => value.anchor !== undefined);
    // Clusters under the mesh's root first: the findings are about the others.
    const isOurs = ({value}: OfCluster<ClusterCaFacts>): boolean => meshRoots.includes(value.anchor ?? '');
    const ordered = [...anchored.filter(isOurs), ...anchored.filter((one) => !isOurs(one))];
    const [first] = ordered;
    if (meshRoots.length > 0 && first && !isOurs(first) && anchored.every((one) => acceptEachOther(first, one))) {
      const observed = `every cluster has ${rootsOf(first)}, root-cert.pem of the mesh has ${describeRoots(meshRoots)}`;
      return {observed, fix: takeRootFrom(first)};
    }
    const findings = ordered.map((one, index): Finding | undefined => {
      const base = {clusters: [one.cluster.name], ...newCa({...subject, cluster: one.cluster})};
      if (meshRoots.length > 0 && !one.value.roots.some(({fingerprint}) => meshRoots.includes(fingerprint))) {
        const observed = `${one.cluster.name} has ${rootsOf(one)}, root-cert.pem of the mesh has ${describeRoots(meshRoots)}`;
        return {...base, observed};
      }
      const conflicting = ordered.slice(0, index).find((other) => !acceptEachOther(one, other));
      if (!conflicting) return undefined;
      const observed = `${one.cluster.name} has ${rootsOf(one)}, ${conflicting.cluster.name} has ${rootsOf(conflicting)}`;
      return {...base, observed};
    });
    return findingsOr(findings, first ? ok(rootsOf(first)) : notApplicable('no cluster CA in the work directory'));
  },
  meaning:
    "Every cluster's root-cert.pem contains the root of every cluster's CA, and the roots in the mesh's root-cert.pem.",
  breaks:
    'Workloads of clusters with different roots reject each other: between clusters, TLS fails with "certificate signed by unknown authority", while traffic within each cluster works.',
  byHand: 'openssl x509 -in "$CLUSTER/root-cert.pem" -noout -subject -fingerprint -sha256   # for each cluster',
  fix: "Renew the CA of the cluster that differs, under the mesh's root, with `kubectl mesh certs generate CLUSTER --renew` where the root key is, then push it. If the work directory has no root-cert.pem, first decide which root the mesh keeps. If all clusters agree and only the mesh's root-cert.pem differs, replace it with a cluster's.",
  source: 'istio.io: ops/diagnostic-tools/multicluster; istio/istio security/pkg/server/ca/server.go',
});

function acceptEachOther(one: OfCluster<ClusterCaFacts>, other: OfCluster<ClusterCaFacts>): boolean {
  const accepts = (side: ClusterCaFacts, {anchor}: ClusterCaFacts): boolean =>
    side.roots.some(({fingerprint}) => fingerprint === anchor);
  return accepts(one.value, other.value) && accepts(other.value, one.value);
}

/** Keeps the replaced file: it may be the only copy of a root that was created on purpose. */
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
