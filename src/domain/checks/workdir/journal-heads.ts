import {kubectlMesh} from '../../suggest/suggestion.js';
import {apiServerCheck, findingsOr, notApplicable, ok, type Finding} from '../check.js';
import type {RecordedHead} from '../../journal/head.js';
import {layout} from '../../mesh/layout.js';

/** The record of changes has what was written down elsewhere, too. */
export const journalHeadsCheck = apiServerCheck({
  id: 'MESH116',
  title: 'The journal agrees with what the clusters remember',
  needs: ['journalHeads', 'journal'],
  waitable: false,
  expected: `the entry that the cluster remembers, as it was written, in ${layout.journal}`,
  judge: ({journalHeads, journal: {brokenAside}}, {cluster}) => {
    if (journalHeads.length === 0) {
      return notApplicable(
        'the cluster remembers no journal: what is there was written by others, or by an older version',
      );
    }
    const fix = kubectlMesh('journal verify', [cluster.name]);
    const findings = journalHeads
      .filter(({result}) => result !== 'agrees')
      .map((head): Finding => ({
        // A colleague's change that was not brought here is nobody's fault, and MESH113 asks to put a broken journal aside.
        severity: head.result === 'not-known-here' || head.result === 'put-aside' ? 'warning' : 'error',
        observed: describeHead(head),
        fix,
      }));
    // What a cluster remembers of a broken journal names its file already.
    const toldOf = journalHeads.some(({result}) => result === 'put-aside');
    // Evidence that nobody has dealt with yet: it is reported even where the new journal agrees.
    const kept = (toldOf ? [] : brokenAside).map(({file, message}): Finding => ({
      severity: 'warning',
      observed: `${file}, which was put aside, is broken: ${message}`,
      expected: 'no broken journal in the work directory: a person looks at it, and moves it elsewhere',
      fix,
    }));
    return findingsOr([...findings, ...kept], ok(journalHeads.map(describeHead).join('; ')));
  },
  meaning: `Each trust push, trust rollback and install apply leaves in the cluster where its own entry stands in ${layout.journal}, and that entry's hash: annotation kubectl-mesh/journal-head of Secret cacerts and of ConfigMap kubectl-mesh-install. The journal, or one that was put aside, has these entries, as they were written.`,
  breaks:
    'Somebody cut the journal or wrote it anew, hashes and all, or put an old copy back: what it says of changes before the last push cannot be relied on. As a warning: the change was made from another copy of the work directory (a second directory that \`certs adopt\` made is one), whose journal was not brought here; or the entry is in a broken journal that was put aside, which somebody has to look at. Trust itself is not touched.',
  byHand: `kubectl --context "$CTX" -n istio-system get secret cacerts -o jsonpath="{.metadata.annotations.kubectl-mesh/journal-head}"   # CHAIN/SEQ:HASH\ngrep '"chain":"CHAIN"' "$WORK_DIR/${layout.journal}" | grep '"seq":SEQ' | grep -o '"hash":"[0-9a-f]*"'`,
  mend: `\`kubectl mesh journal verify\` says which entry is missing or another one. It mends nothing: only a person knows where the entry is. Bring the journal of the copy that made the change (\`git pull\`; from another directory: append its ${layout.journal} to this one's: chains of several copies may stand in one file), or the true file from git or a backup. The next push from here that changes something leaves its own entry instead, and warns of what it covers. A broken journal that was put aside is evidence: look at it, compare it with git or a backup, and move it and its .head.json out of the work directory. Where it is lost for good, keep what is there as evidence and end the memory of the cluster: \`kubectl --context "$CTX" -n istio-system annotate secret cacerts kubectl-mesh/journal-head-\`; the next change leaves a new one.`,
  source: 'docs/audit.md of this program',
});

function describeHead({where, message}: RecordedHead): string {
  return `${where}: ${message}`;
}
