import type {FileModeFacts} from '../../facts/facts.js';
import {rootKeyHint} from '../../mesh/signer.js';
import {printableLine} from '../../printable.js';
import {filePath, fixWith, inWorkDir, type Word} from '../../suggest/suggestion.js';
import {workDirCheck, findingsOr, notApplicable, ok, type Finding} from '../check.js';

/** The permission bits that no path of a kind may have, and what removes them. */
const rules: Readonly<Record<FileModeFacts['kind'], {readonly forbidden: number; readonly chmod: string}>> = {
  key: {forbidden: 0o077, chmod: '600'},
  directory: {forbidden: 0o077, chmod: '700'},
  parent: {forbidden: 0o022, chmod: 'go-w'},
};

/** The bit that lets every user replace the files of a directory. */
const writableByAll = 0o002;

/** Only the owner can read the CA keys on this machine. */
export const permissionsCheck = workDirCheck({
  id: 'MESH106',
  title: 'Private keys are readable by their owner only',
  scope: 'mesh',
  requires: ['fileModes'],
  expected:
    'mode 0600 for keys, 0700 for directories that hold keys, and a work directory that only its owner can write to',
  judge: ({fileModes}, {mesh: {trust}}) =>
    findingsOr(
      fileModes.map(findingOf),
      fileModes.length === 0
        ? notApplicable(`no private key in the work directory${rootKeyHint(trust.signer)}`)
        : ok(`${String(fileModes.length)} paths checked`),
    ),
  meaning:
    'Key files have mode 0600, and the directories that contain them have mode 0700. A key file is any file whose name ends in key.pem or that contains a private key and is not public (MESH117), at the top level of the work directory or in a cluster directory (the first 200 files of each, up to 64 KiB), and the root key in the directory of --root-dir or trust.signer. Only the owner can write to the work directory and to the directory of the root key.',
  breaks:
    'Anyone who can read a CA key can issue certificates for every workload of the mesh without being detected. Anyone who can write to the work directory can replace its CA files and mesh.yaml.',
  byHand:
    'find "$WORK_DIR" -name "*key.pem" -perm /077 -ls\nfind "$WORK_DIR" -maxdepth 2 -type f -perm /077 -exec grep -lE "BEGIN ([A-Z]+ )*PRIVATE KEY" {} +',
  fix: 'Restrict the mode with chmod. If other users may have read a cluster CA key, replace it with `kubectl mesh certs generate CLUSTER --renew`.',
  source:
    "Istio's guide states that its Makefile lacks private key protection; tools/certs/Makefile.k8s.mk leaves 0644",
});

/** A key that others can access is an error, and so is a directory in which every user can replace files. */
function findingOf({path, kind, mode}: FileModeFacts): Finding | undefined {
  const {forbidden, chmod} = rules[kind];
  if ((mode & forbidden) === 0) return undefined;
  const name = path === '.' ? 'the work directory' : printableLine(path);
  const isOpen = kind === 'key' || (kind === 'parent' && (mode & writableByAll) !== 0);
  return {
    severity: isOpen ? 'error' : 'warning',
    observed: `${name} has mode ${mode.toString(8).padStart(4, '0')}`,
    fix: fixWith.run('chmod', [chmod, wordOf(path)]),
  };
}

function wordOf(path: string): Word {
  return path.startsWith('/') ? filePath(path) : inWorkDir(path);
}
