import {kubectlMesh} from '../../suggest/suggestion.js';
import {defineCheck, notApplicable, ok} from '../check.js';

const expected = 'what mesh.yaml renders to now';

/** install.yaml is not older than mesh.yaml's meaning. */
export const installFileCheck = defineCheck({
  id: 'MESH111',
  title: 'install.yaml is current',
  severity: 'warning',
  scope: 'cluster',
  vantage: 'work directory',
  needs: ['installFile'],
  waitable: false,
  implies: [],
  judge: ({installFile}, {cluster}) => {
    switch (installFile.state) {
      case 'absent':
        return notApplicable('there is no install.yaml');
      case 'foreign':
        return notApplicable('install.yaml was not made by `install render`');
      case 'current':
        return ok('current', expected);
      case 'stale':
        return {
          findings: [{observed: installFile.difference, expected, fix: kubectlMesh('install render', [cluster.name])}],
        };
    }
  },
  explanation: {
    meaning: 'CLUSTER/install.yaml says what mesh.yaml says now: rendering it again would change nothing.',
    breaks: '`install apply` refuses a stale file; applied by hand it installs what was declared earlier.',
    byHand: 'kubectl mesh install render "$CLUSTER" --output-file - | diff "$CLUSTER/install.yaml" -',
    mend: '`kubectl mesh install render CLUSTER`, then `install apply CLUSTER`.',
    source: 'the rules of `kubectl mesh install render`',
  },
});
