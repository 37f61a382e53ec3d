import {kubectlMesh} from '../../suggest/suggestion.js';
import {apiServerCheck, findingsOr, notApplicable, ok, type Finding} from '../check.js';
import type {RecordedHead} from '../../journal/head.js';
import {layout} from '../../mesh/layout.js';

/** The journal contains the entries whose hashes the clusters hold. */
export const journalHeadsCheck = apiServerCheck({
  id: 'MESH116',
  title: 'The journal matches the heads recorded in the clusters',
  requires: ['journalHeads', 'journal'],
  waitable: false,
  expected: `the recorded entry, unchanged, in ${layout.journal}`,
  judge: ({journalHeads, journal: {brokenAside}}, {cluster}) => {
    if (journalHeads.length === 0) {
      return notApplicable(
        'the cluster records no journal head: its objects were written by another tool or an older version',
      );
    }
    const fix = kubectlMesh('journal verify', [cluster.name]);
    const findings = journalHeads
      .filter(({result}) => result !== 'agrees')
      .map((head): Finding => ({
        // An entry from another copy of the work directory is no defect, and MESH113 suggests setting a broken journal aside.
        severity: head.result === 'not-known-here' || head.result === 'put-aside' ? 'warning' : 'error',
        observed: describeHead(head),
        fix,
      }));
    // The message of such a head already names the broken journal.
    const isReported = journalHeads.some(({result}) => result === 'put-aside');
    // Unresolved evidence: it is reported even if the new journal matches.
    const unresolved = (isReported ? [] : brokenAside).map(({file, message}): Finding => ({
      severity: 'warning',
      observed: `${file}, which was set aside, is broken: ${message}`,
      expected: 'no broken journal in the work directory: investigate it, then move it elsewhere',
      fix,
    }));
    return findingsOr([...findings, ...unresolved], ok(journalHeads.map(describeHead).join('; ')));
  },
  meaning: `Each trust push, trust rollback and install apply records the position and the hash of its entry in ${layout.journal} in the cluster: in the annotation kubectl-mesh/journal-head of Secret cacerts or ConfigMap kubectl-mesh-install. The journal, or one that was set aside, contains these entries unchanged.`,
  breaks:
    'The journal was truncated, rewritten with new hashes, or restored from an old copy: its account of changes before the last push is not reliable. If the finding is a warning, either the change was made from another copy of the work directory whose journal is not here (for example, a second directory created by \`kubectl mesh certs adopt\`), or the entry is in a broken journal that was set aside and must be investigated. Trust itself is not affected.',
  byHand: `kubectl --context "$CTX" -n istio-system get secret cacerts -o jsonpath="{.metadata.annotations.kubectl-mesh/journal-head}"   # CHAIN/SEQ:HASH\ngrep '"chain":"CHAIN"' "$WORK_DIR/${layout.journal}" | grep '"seq":SEQ' | grep -o '"hash":"[0-9a-f]*"'`,
  fix: `\`kubectl mesh journal verify\` reports which entry is missing or differs. It does not fix anything: only you know where the entry is. Get the journal of the copy that made the change, with \`git pull\` or by appending the ${layout.journal} of the other directory to this one (a file can contain the chains of several copies), or restore the original file from Git or a backup. The next push from this copy that makes a change records its own entry instead, and warns about the entry that it replaces. A broken journal that was set aside is evidence: compare it with Git or a backup, then move it and its .head.json out of the work directory. If the journal is permanently lost, keep what is left as evidence and remove the recorded head: \`kubectl --context "$CTX" -n istio-system annotate secret cacerts kubectl-mesh/journal-head-\`. The next change records a new one.`,
  source: 'docs/audit.md',
});

function describeHead({where, message}: RecordedHead): string {
  return `${where}: ${message}`;
}
