import {defineCheck, findingsOr, ok} from '../check.js';

const expected = 'ca-cert.pem, root-cert.pem and cert-chain.pem';

/** Each cluster has the public files of its CA; the key may be elsewhere. */
export const completeCheck = defineCheck({
  id: 'MESH102',
  title: 'The cluster CA files are complete',
  severity: 'error',
  scope: 'cluster',
  vantage: 'work directory',
  needs: ['caFiles'],
  waitable: false,
  implies: ['MESH103', 'MESH104', 'MESH105'],
  judge: ({caFiles}, {cluster, commands}) => {
    const missing = caFiles.missing.filter((file) => file !== 'ca-key.pem');
    return findingsOr(
      missing.length === 0
        ? []
        : [
            {
              observed: `${cluster.name}/ has no ${missing.join(', no ')}`,
              expected,
              fix: commands.mesh(`certs generate ${cluster.name}`),
            },
          ],
      () => ok('all of them', expected),
    );
  },
  explanation: {
    meaning: "CLUSTER/ holds the certificates of the cluster's CA under the names that istiod reads from cacerts.",
    breaks:
      'Without them nothing can be pushed. istiod before 1.26.1 that finds an incomplete cacerts silently signs with a CA of its own.',
    byHand: 'ls -l "$WORK_DIR/$CLUSTER"',
    mend: '`kubectl mesh certs generate CLUSTER` makes what is missing and keeps what is there.',
    source: 'istio/istio pilot/pkg/bootstrap/istio_ca.go; releasenotes/notes/check-cacerts-completeness.yaml',
  },
});
