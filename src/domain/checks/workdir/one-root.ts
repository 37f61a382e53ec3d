import {defineCheck, findingsOr, notApplicable, ok} from '../check.js';
import type {Finding, OfCluster} from '../check.js';
import {describeRoots} from '../describe.js';
import type {ClusterCaFacts} from '../facts.js';
import {renewFix} from '../fixes.js';

const expected = "every cluster's bundle holds the root of every other cluster's CA";

/** All clusters accept each other: one root, or during a rotation bundles that hold each other's. */
export const oneRootCheck = defineCheck({
  id: 'MESH105',
  title: 'The work directory gives all clusters one root of trust',
  severity: 'error',
  scope: 'mesh',
  vantage: 'work directory',
  needs: ['caFiles', 'meshRoots'],
  waitable: false,
  implies: ['MESH307'],
  judge: ({caFiles, meshRoots}, {commands}) => {
    const made = caFiles.filter(({value}) => value.anchor !== undefined);
    // Clusters under the mesh's own root first: the others are the ones to mend.
    const isOurs = ({value}: OfCluster<ClusterCaFacts>): boolean => meshRoots.includes(value.anchor ?? '');
    const ordered = [...made.filter(isOurs), ...made.filter((one) => !isOurs(one))];
    const findings = ordered.flatMap((one, index): readonly Finding[] => {
      const fix = renewFix({cluster: one.cluster, commands});
      if (meshRoots.length > 0 && !one.value.roots.some(({fingerprint}) => meshRoots.includes(fingerprint))) {
        const observed = `${one.cluster.name} has ${rootsOf(one)}, root-cert.pem of the mesh is ${describeRoots(meshRoots)}`;
        return [{observed, expected, fix}];
      }
      const stranger = ordered
        .slice(0, index)
        .find((other) => !accepts(one.value, other.value) || !accepts(other.value, one.value));
      if (!stranger) return [];
      return [
        {
          observed: `${one.cluster.name} has ${rootsOf(one)}, ${stranger.cluster.name} has ${rootsOf(stranger)}`,
          expected,
          fix,
        },
      ];
    });
    const [first] = ordered;
    return findingsOr(findings, () =>
      first ? ok(rootsOf(first), expected) : notApplicable('no cluster has a CA yet'),
    );
  },
  explanation: {
    meaning:
      "The root that each cluster's CA chains to is in the root-cert.pem of every cluster, and the mesh's own root-cert.pem is in each.",
    breaks:
      'Workloads of two clusters with different roots refuse each other: TLS errors "certificate signed by unknown authority" between clusters, while each cluster by itself is fine.',
    byHand: 'openssl x509 -in "$CLUSTER/root-cert.pem" -noout -subject -fingerprint -sha256   # for each cluster',
    mend: 'Make the CA of the cluster that deviates anew under the mesh root (`certs generate CLUSTER --renew`), then push it.',
    source: 'istio.io: ops/diagnostic-tools/multicluster; istio/istio security/pkg/server/ca/server.go',
  },
});

function accepts(side: ClusterCaFacts, other: ClusterCaFacts): boolean {
  return side.roots.some(({fingerprint}) => fingerprint === other.anchor);
}

function rootsOf({value}: OfCluster<ClusterCaFacts>): string {
  return describeRoots(value.roots.map(({fingerprint}) => fingerprint));
}
