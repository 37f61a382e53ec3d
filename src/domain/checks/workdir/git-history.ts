import {inWorkDir, inspectWith, words} from '../../suggest/suggestion.js';
import {workDirCheck, findingsOr, notApplicable, ok, type Finding} from '../check.js';
import type {KeyInHistory} from '../../facts/facts.js';
import {renewFix} from '../fixes.js';
import type {Mesh} from '../../mesh/mesh.js';
import {printableLine} from '../../printable.js';

/** What was committed once stays with everybody who has cloned. */
export const gitHistoryCheck = workDirCheck({
  id: 'MESH114',
  title: "No private key is in git's history",
  scope: 'mesh',
  needs: ['gitHistory'],
  expected: 'no private key in any commit',
  judge: ({gitHistory}, {mesh}) => {
    if ('absent' in gitHistory) return notApplicable(gitHistory.absent);
    const {keys, more, shallow} = gitHistory;
    return findingsOr(
      keys.map((key, index) => finding(key, index === keys.length - 1 ? more : 0, mesh)),
      shallow
        ? notApplicable('this is a shallow clone, which has no key: what was committed before it is not here')
        : ok('no commit holds one'),
    );
  },
  meaning:
    'No commit that git has of the work directory (all branches, tags and stashes; also of files that were renamed or deleted since) holds a private key, be it as PEM or in the manifest of a Secret.',
  breaks:
    'Whoever has cloned has the key: with the root key they are every workload of the mesh, with the key of a cluster CA they sign for every workload until its certificate ends. An encrypted key is only as good as the passphrase it had then, and can be guessed at for years.',
  byHand:
    'git log --all -m --no-renames --name-status -G "BEGIN ([A-Z]+ )*PRIVATE KEY" --relative -- .\ngit rev-parse --is-shallow-repository',
  mend: "Treat the key as known; rewriting history takes it from nobody who has it. A cluster's key: `certs generate CLUSTER --renew` and push; the old certificate stays trusted until it ends, unless a CA revocation list (ca-crl.pem) names it. The root's key: a new root. What is no longer used is told as a warning as long as it is in the history; git filter-repo takes it out, in every clone.",
  source: 'git-scm.com: git-log (-G), gitignore; docs.github.com: removing sensitive data from a repository',
});

function finding({path, commit, protection, owner}: KeyInHistory, more: number, mesh: Mesh): Finding {
  const log = inspectWith.run('git', words`-C ${inWorkDir('.')} log --all --stat --relative -- ${path}`);
  const where = `${printableLine(path)} in commit ${commit}${more > 0 ? ` (and ${String(more)} more texts with keys)` : ''}`;
  if (protection === 'encrypted') {
    return {severity: 'warning', observed: `an encrypted private key: ${where}`, fix: log};
  }
  if (owner === 'root') return {observed: `the root key in the clear: ${where}`, fix: log};
  if (owner === undefined) {
    return {
      severity: 'warning',
      observed: `the private key of no present CA, in the clear: ${where}; what it signed for stays trusted until it ends`,
      fix: log,
    };
  }
  const cluster = mesh.clusters.find(({name}) => name === owner.cluster);
  return {
    observed: `the CA key of ${owner.cluster} in the clear: ${where}`,
    clusters: [owner.cluster],
    fix: cluster ? renewFix({cluster, mesh}) : log,
  };
}
