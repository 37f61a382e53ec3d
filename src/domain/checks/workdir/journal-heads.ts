import {defineCheck, findingsOr, notApplicable, ok} from '../check.js';
import type {Finding} from '../check.js';
import type {RememberedHead} from '../facts.js';
import {layout} from '../../mesh/layout.js';

const expected = `the entry that the cluster remembers, as it was written, in ${layout.journal}`;

/** The record of changes has what was written down elsewhere, too. */
export const journalHeadsCheck = defineCheck({
  id: 'MESH116',
  title: 'The journal agrees with what the clusters remember',
  severity: 'error',
  scope: 'cluster',
  vantage: 'API server',
  needs: ['journalHeads'],
  waitable: false,
  implies: [],
  judge: ({journalHeads}, {cluster, commands}) => {
    if (journalHeads.length === 0) {
      return notApplicable(
        'the cluster remembers no journal: what is there was written by others, or by an older version',
      );
    }
    const findings = journalHeads
      // Putting a broken journal aside is what MESH113 asks for: journal verify still tells.
      .filter(({result}) => result !== 'agrees' && result !== 'put-aside')
      .map((head): Finding => ({
        // A colleague's change that was not brought here is nobody's fault.
        ...(head.result === 'not-known-here' && {severity: 'warning'}),
        observed: describeHead(head),
        expected,
        fix: commands.meshCluster(`journal verify ${cluster.name}`),
      }));
    return findingsOr(findings, () => ok(journalHeads.map(describeHead).join('; '), expected));
  },
  explanation: {
    meaning: `Each trust push, trust rollback and install apply leaves in the cluster where its own entry stands in ${layout.journal}, and that entry's hash: annotation kubectl-mesh/journal-head of Secret cacerts and of ConfigMap kubectl-mesh-install. The journal, or one that was put aside, has these entries, as they were written.`,
    breaks:
      'Somebody cut the journal or wrote it anew, hashes and all, or put an old copy back: what it says of changes before the last push cannot be relied on. As a warning: the change was made from another copy of the work directory, whose journal was not brought here. Trust itself is not touched.',
    byHand: `kubectl --context "$CTX" -n istio-system get secret cacerts -o jsonpath="{.metadata.annotations.kubectl-mesh/journal-head}"   # CHAIN/SEQ:HASH\ngrep '"chain":"CHAIN"' "$WORK_DIR/${layout.journal}" | grep '"seq":SEQ' | grep -o '"hash":"[0-9a-f]*"'`,
    mend: `\`kubectl mesh journal verify\` says which entry is missing or another one. Bring the journal of the copy that made the change (\`git pull\`), or the true file from git or a backup. Where it is lost for good, keep what is there as evidence and end the memory of the cluster: \`kubectl --context "$CTX" -n istio-system annotate secret cacerts kubectl-mesh/journal-head-\`; the next change leaves a new one.`,
    source: 'docs/audit.md of this program',
  },
});

function describeHead({where, message}: RememberedHead): string {
  return `${where}: ${message}`;
}
