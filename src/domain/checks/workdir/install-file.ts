import {kubectlMesh} from '../../suggest/suggestion.js';
import {workDirCheck, notApplicable, ok} from '../check.js';

/** install.yaml matches mesh.yaml. */
export const installFileCheck = workDirCheck({
  id: 'MESH111',
  title: 'install.yaml is up to date',
  severity: 'warning',
  requires: ['installFile'],
  expected: 'the current rendering of mesh.yaml',
  judge: ({installFile}, {cluster}) => {
    switch (installFile.state) {
      case 'absent':
        return notApplicable('no install.yaml');
      case 'foreign':
        return notApplicable('install.yaml was not created by `install render`');
      case 'current':
        return ok('up to date');
      case 'stale':
        return {observed: installFile.difference, fix: kubectlMesh('install render', [cluster.name])};
    }
  },
  meaning: 'CLUSTER/install.yaml corresponds to the current mesh.yaml: rendering it again would not change it.',
  breaks: '`install apply` refuses a stale file; applied by hand, it installs an earlier declaration.',
  byHand: 'kubectl mesh install render "$CLUSTER" --output-file - | diff "$CLUSTER/install.yaml" -',
  fix: '`kubectl mesh install render CLUSTER`, then `install apply CLUSTER`.',
  source: '`kubectl mesh install render` of this program',
});
