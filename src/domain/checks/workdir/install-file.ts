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
  meaning: 'CLUSTER/install.yaml matches the current mesh.yaml: rendering it again would not change it.',
  breaks:
    '`kubectl mesh install apply` refuses an outdated file. If you apply it by hand, it installs an outdated configuration.',
  byHand: 'kubectl mesh install render "$CLUSTER" --output-file - | diff "$CLUSTER/install.yaml" -',
  fix: 'Run `kubectl mesh install render CLUSTER`, then `kubectl mesh install apply CLUSTER`.',
  source: '`kubectl mesh install render`',
});
