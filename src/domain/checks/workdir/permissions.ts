import {fixWith, inWorkDir} from '../../suggest/suggestion.js';
import {workDirCheck, findingsOr, notApplicable, ok} from '../check.js';
import {printableLine} from '../../printable.js';

/** Bits of group and others. */
const othersMask = 0o077;

/** Nobody else on this machine can read the CA keys. */
export const permissionsCheck = workDirCheck({
  id: 'MESH106',
  title: 'Private keys can be read by their owner only',
  scope: 'mesh',
  needs: ['fileModes'],
  expected: 'keys 0600, directories that hold keys 0700',
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
        ? notApplicable('there is no private key here')
        : ok(`${String(fileModes.length)} paths looked at`),
    ),
  meaning:
    'Key files have mode 0600 and the directories that hold them 0700. A key file is one whose name ends with key.pem, and any file that holds a private key as PEM, at the top of the work directory or in the folder of a cluster (the first 200 of each, up to 64 KiB).',
  breaks: 'Whoever reads a CA key can issue certificates for every workload of the mesh, and nobody would see it.',
  byHand:
    'find "$WORK_DIR" -name "*key.pem" -perm /077 -ls\nfind "$WORK_DIR" -maxdepth 2 -type f -perm /077 -exec grep -lE "BEGIN ([A-Z]+ )*PRIVATE KEY" {} +',
  mend: 'Take the bits away with chmod; if others may have read a key, renew it (`certs generate CLUSTER --renew`).',
  source:
    "Istio's guide names private key protection as what its Makefile lacks; tools/certs/Makefile.k8s.mk leaves 0644",
});
