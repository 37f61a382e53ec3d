import {kubectlMesh} from '../../suggest/suggestion.js';
import {workDirCheck, notApplicable, ok} from '../check.js';

/** install.yaml is not older than mesh.yaml's meaning. */
export const installFileCheck = workDirCheck({
  id: 'MESH111',
  title: 'install.yaml is current',
  severity: 'warning',
  needs: ['installFile'],
  expected: 'what mesh.yaml renders to now',
  judge: ({installFile}, {cluster}) => {
    switch (installFile.state) {
      case 'absent':
        return notApplicable('there is no install.yaml');
      case 'foreign':
        return notApplicable('install.yaml was not made by `install render`');
      case 'current':
        return ok('current');
      case 'stale':
        return {observed: installFile.difference, fix: kubectlMesh('install render', [cluster.name])};
    }
  },
  meaning: 'CLUSTER/install.yaml says what mesh.yaml says now: rendering it again would change nothing.',
  breaks: '`install apply` refuses a stale file; applied by hand it installs what was declared earlier.',
  byHand: 'kubectl mesh install render "$CLUSTER" --output-file - | diff "$CLUSTER/install.yaml" -',
  mend: '`kubectl mesh install render CLUSTER`, then `install apply CLUSTER`.',
  source: 'the rules of `kubectl mesh install render`',
});
