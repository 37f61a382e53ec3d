import {
  expectationsOf,
  keyTarget,
  noClusterKeyReason,
  accessPathText,
  removeFix,
  stepText,
  unexpectedRemotes,
} from '../../access/findings.js';
import {mountedSecrets} from '../../istio/ca-source.js';
import {subjectId} from '../../kube/subjects.js';
import {withMeshNames} from '../../access/mesh-names.js';
import {AccessAnalyzer} from '../../access/transitive.js';
import {printableLine} from '../../printable.js';
import {inspectWith, words} from '../../suggest/suggestion.js';
import {apiServerCheck, findingsOr, notApplicable, ok, type Finding} from '../check.js';

/** Only expected subjects can reach another cluster's CA key through a remote secret. */
export const keyRemotesCheck = apiServerCheck({
  id: 'MESH208',
  title: "Only expected subjects can reach another cluster's CA key through a remote secret",
  severity: 'warning',
  scope: 'mesh',
  requires: ['rbac', 'remoteCredentials'],
  optional: ['caSources'],
  waitable: false,
  expected: 'remote secrets within reach of expected subjects only',
  judge: ({rbac, remoteCredentials, caSources = []}, {mesh}) => {
    const remotesOf = remoteCredentials.map(({cluster, value}) => ({cluster, value: withMeshNames(value, mesh)}));
    const hasLoop = remotesOf.some(({cluster, value}) => value.some((one) => one.cluster === cluster.name));
    if (rbac.length < 2 && !hasLoop)
      return notApplicable('fewer than two clusters, and no remote secret for the cluster itself');
    const reason = noClusterKeyReason(mesh);
    if (reason !== undefined) return notApplicable(reason);
    const expectations = expectationsOf(mesh);
    const clusterOf = (name: string) => rbac.find(({cluster}) => cluster.name === name)?.cluster;
    const judge = new AccessAnalyzer(
      rbac.map(({cluster, value}) => ({
        cluster: cluster.name,
        rbac: value,
        remotes: remotesOf.find((one) => one.cluster === cluster)?.value ?? [],
        mounted: mountedSecrets(caSources.find((one) => one.cluster === cluster)?.value ?? []),
      })),
      keyTarget(expectations),
    );
    const findings = [
      ...unexpectedRemotes(judge.remote(), (name) => judge.own(name), expectations).map(
        ({from, subject, remotes}): Finding | undefined => {
          const cluster = clusterOf(from);
          const [first] = remotes;
          if (!cluster || !first) return undefined;
          const targets = [...new Set(remotes.map(({target}) => target))];
          const path = first.path.map(stepText).join(', ');
          return {
            observed: printableLine(
              `${subjectId(subject)} of ${from} can reach the CA key of ${targets.join(', ')}: ${accessPathText(first.entry)}; ${path}`,
            ),
            clusters: [from, ...targets],
            fix: removeFix(
              subject,
              remotes.map(({entry}) => entry),
              cluster,
            ),
          };
        },
      ),
      ...judge.unknown().map(({cluster, secret, leadsTo}): Finding => ({
        observed: printableLine(
          `Secret ${secret} of ${cluster} grants access to ${leadsTo}, but the subject of its credentials is unknown`,
        ),
        expected: 'a service account token, as created by istioctl create-remote-secret',
        clusters: [cluster, leadsTo],
        fix: inspectWith.kubectl(
          clusterOf(cluster) ?? 'any',
          words`-n ${expectations.namespace} get secrets -l istio/multiCluster=true`,
        ),
      })),
    ];
    return findingsOr(findings, ok('no unexpected subject by RBAC'));
  },
  meaning:
    'A remote secret holds a token for the istio-reader service account of another cluster, which can read the Secrets there, including further remote secrets. A subject that can read the remote secret can therefore reach CA keys across any number of clusters. By RBAC, only expected subjects (see MESH206) can do so. Subjects that can already reach the key of their own cluster are reported by MESH206 and MESH207 instead. Requires `--access`.',
  breaks: 'A permission in one cluster gives access to the CA key of another cluster that never granted it.',
  byHand:
    'kubectl --context "$CTX" auth can-i get secrets/istio-remote-secret-PEER -n istio-system --as USER\nkubectl --context "$PEER_CTX" auth can-i get secrets/cacerts -n istio-system --as system:serviceaccount:istio-system:istio-reader-service-account',
  fix: "Remove the subject from the binding with the suggested command, or add it to `access.expected` in mesh.yaml. If nothing requires it, you can also remove the reader service account's access to Secrets: set global.enableReaderRBAC=false and provide your own ClusterRole.",
  source:
    'istio/istio manifests/charts/istio-control/istio-discovery/templates/reader-clusterrole.yaml, istioctl/pkg/multicluster/remote_secret.go',
});
