import {inWorkDir, inspectWith, words} from '../../suggest/suggestion.js';
import {type CheckSubject, workDirCheck, findingsOr, notApplicable, ok, type Finding} from '../check.js';
import type {KeyInHistory} from '../../facts/facts.js';
import {newCa} from '../remedies.js';
import {printableLine} from '../../printable.js';

/** A key that was committed once stays in every clone. */
export const gitHistoryCheck = workDirCheck({
  id: 'MESH114',
  title: 'No private key is in the Git history',
  scope: 'mesh',
  requires: ['gitHistory'],
  expected: 'no private key in any commit',
  judge: ({gitHistory}, subject) => {
    if ('absent' in gitHistory) return notApplicable(gitHistory.absent);
    const {keys, more, shallow} = gitHistory;
    return findingsOr(
      keys.map((key, index) => finding(key, index === keys.length - 1 ? more : 0, subject)),
      shallow
        ? notApplicable('a shallow clone without keys; earlier commits are not available')
        : ok('no commit contains one'),
    );
  },
  meaning:
    'No commit of the work directory (on any branch, tag or stash, including files that were later renamed or deleted) contains a private key, either as PEM or in the manifest of a Secret.',
  breaks:
    'Anyone with a clone has the key. With the root key they can impersonate every workload of the mesh; with a cluster CA key they can sign for every workload until the CA certificate expires. An encrypted key is only as strong as its passphrase at that time, and can be attacked offline for years.',
  byHand:
    'git log --all -m --no-renames --name-status -G "BEGIN ([A-Z]+ )*PRIVATE KEY" --relative -- .\ngit rev-parse --is-shallow-repository',
  fix: 'Treat the key as compromised; rewriting the history does not remove it from existing clones. For a cluster CA key, run `kubectl mesh certs generate CLUSTER --renew`, then push the new CA; the old certificate stays trusted until it expires, unless a CA revocation list (ca-crl.pem) contains it. For the root key, create a new root. A key that is no longer in use remains a warning while it is in the history; remove it with git filter-repo in every clone.',
  source: 'git-scm.com: git-log (-G), gitignore; docs.github.com: removing sensitive data from a repository',
});

function finding({path, commit, protection, owner}: KeyInHistory, more: number, subject: CheckSubject): Finding {
  const log = inspectWith.run('git', words`-C ${inWorkDir('.')} log --all --stat --relative -- ${path}`);
  const where = `${printableLine(path)} in commit ${commit}${more > 0 ? ` (and ${String(more)} more blobs with keys)` : ''}`;
  if (protection === 'encrypted') {
    return {severity: 'warning', observed: `an encrypted private key: ${where}`, fix: log};
  }
  if (owner === 'root') return {observed: `the unencrypted root key: ${where}`, fix: log};
  if (owner === undefined) {
    return {
      severity: 'warning',
      observed: `an unencrypted private key of no current CA: ${where}; certificates it signed stay trusted until they expire`,
      fix: log,
    };
  }
  const cluster = subject.mesh.clusters.find(({name}) => name === owner.cluster);
  return {
    observed: `the unencrypted CA key of ${owner.cluster}: ${where}`,
    clusters: [owner.cluster],
    ...(cluster ? newCa({...subject, cluster}) : {fix: log}),
  };
}
