import {fixWith, inWorkDir} from '../../suggest/suggestion.js';
import {workDirCheck, findingsOr, notApplicable, ok} from '../check.js';
import {printableLine} from '../../printable.js';

/** Bits of group and others. */
const othersMask = 0o077;

/** Only the owner can read the CA keys on this machine. */
export const permissionsCheck = workDirCheck({
  id: 'MESH106',
  title: 'Private keys are readable by their owner only',
  scope: 'mesh',
  requires: ['fileModes'],
  expected: 'mode 0600 for keys, 0700 for directories that hold keys',
  judge: ({fileModes}) =>
    findingsOr(
      fileModes
        .filter(({mode}) => (mode & othersMask) !== 0)
        .map(({path, kind, mode}) => ({
          severity: kind === 'key' ? 'error' : 'warning',
          observed: `${printableLine(path)} has mode ${mode.toString(8).padStart(4, '0')}`,
          fix: fixWith.run('chmod', [kind === 'key' ? '600' : '700', inWorkDir(path)]),
        })),
      fileModes.length === 0
        ? notApplicable('no private key in the work directory')
        : ok(`${String(fileModes.length)} paths checked`),
    ),
  meaning:
    'Key files have mode 0600, and the directories that contain them have mode 0700. A key file is any file whose name ends in key.pem or that contains a PEM private key, at the top level of the work directory or in a cluster directory (the first 200 files of each, up to 64 KiB).',
  breaks: 'Anyone who can read a CA key can issue certificates for every workload of the mesh without being detected.',
  byHand:
    'find "$WORK_DIR" -name "*key.pem" -perm /077 -ls\nfind "$WORK_DIR" -maxdepth 2 -type f -perm /077 -exec grep -lE "BEGIN ([A-Z]+ )*PRIVATE KEY" {} +',
  fix: 'Restrict the mode with chmod. If other users may have read a cluster CA key, replace it with `kubectl mesh certs generate CLUSTER --renew`.',
  source:
    "Istio's guide states that its Makefile lacks private key protection; tools/certs/Makefile.k8s.mk leaves 0644",
});
