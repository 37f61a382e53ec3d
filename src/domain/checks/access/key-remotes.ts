import {
  expectationsOf,
  keyTarget,
  noClusterKeyReason,
  accessPathText,
  removeFix,
  stepText,
  unexpectedRemotes,
} from '../../access/findings.js';
import {subjectId} from '../../kube/subjects.js';
import {AccessAnalyzer} from '../../access/transitive.js';
import {printableLine} from '../../printable.js';
import {inspectWith, words} from '../../suggest/suggestion.js';
import {apiServerCheck, findingsOr, notApplicable, ok, type Finding} from '../check.js';

/** Nobody reaches the CA key of another cluster through a remote secret who is not meant to. */
export const keyRemotesCheck = apiServerCheck({
  id: 'MESH208',
  title: "Nobody reaches another cluster's CA key through a remote secret",
  severity: 'warning',
  scope: 'mesh',
  needs: ['rbac', 'remoteCredentials'],
  waitable: false,
  expected: 'no remote secret within reach of anybody else than who is meant to',
  judge: ({rbac, remoteCredentials}, {mesh}) => {
    const leadsHome = remoteCredentials.some(({cluster, value}) => value.some((one) => one.cluster === cluster.name));
    if (rbac.length < 2 && !leadsHome)
      return notApplicable('there is no other cluster that a remote secret could lead to');
    const nowhere = noClusterKeyReason(mesh);
    if (nowhere !== undefined) return notApplicable(nowhere);
    const expectations = expectationsOf(mesh);
    const clusterOf = (name: string) => rbac.find(({cluster}) => cluster.name === name)?.cluster;
    const judge = new AccessAnalyzer(
      rbac.map(({cluster, value}) => ({
        cluster: cluster.name,
        rbac: value,
        remotes: remoteCredentials.find((one) => one.cluster === cluster)?.value ?? [],
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
              `${subjectId(subject)} of ${from} reaches the CA key of ${targets.join(', ')}: ${accessPathText(first.entry)}; ${path}`,
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
          `Secret ${secret} of ${cluster} leads to ${leadsTo}, and whose credentials it holds cannot be told`,
        ),
        expected: 'a token of a service account, as istioctl create-remote-secret makes it',
        clusters: [cluster, leadsTo],
        fix: inspectWith.kubectl(
          clusterOf(cluster) ?? 'any',
          words`-n ${expectations.namespace} get secrets -l istio/multiCluster=true`,
        ),
      })),
    ];
    return findingsOr(findings, ok('nobody unexpected, as far as RBAC shows'));
  },
  meaning:
    "A remote secret holds a token of another cluster's reader, which may read the Secrets there, and further remote secrets among them. Whoever reads it reaches the CA keys behind it, over any number of clusters. By RBAC, nobody does who is not expected, and who does not already reach the key of the own cluster (MESH206, MESH207). Judged with `--access` only.",
  breaks: 'A right in one cluster becomes the CA key of another, where nobody granted anything.',
  byHand:
    'kubectl --context "$CTX" auth can-i get secrets/istio-remote-secret-PEER -n istio-system --as USER\nkubectl --context "$PEER_CTX" auth can-i get secrets/cacerts -n istio-system --as system:serviceaccount:istio-system:istio-reader-service-account',
  mend: 'Take the subject out of the binding, as the command does, or name it under `access.expected` of mesh.yaml. Where nothing needs it, the reader itself can do without Secrets: give it a ClusterRole of your own (global.enableReaderRBAC=false).',
  source:
    'istio/istio manifests/charts/istio-control/istio-discovery/templates/reader-clusterrole.yaml, istioctl/pkg/multicluster/remote_secret.go',
});
