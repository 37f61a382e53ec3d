import {fixWith, ifExists, inWorkDir, kubectlMesh, sequence} from '../../suggest/suggestion.js';
import {workDirCheck, findingsOr, notApplicable, ok, type Finding, type CheckSubject} from '../check.js';
import {plural, some} from '../../format.js';
import type {JournalFacts, OpenChange} from '../../facts/facts.js';
import {archivedHeadName, archivedJournalName, layout} from '../../mesh/layout.js';

/** The journal was not altered, and no run was interrupted. */
export const journalCheck = workDirCheck({
  id: 'MESH113',
  title: 'The journal is intact',
  scope: 'mesh',
  requires: ['journal'],
  expected: 'unchanged entries, and an outcome for every change',
  judge: ({journal}, subject) => {
    const broken = brokenChain(journal, subject);
    const missing = missingJournal(journal);
    if (!journal.present && !broken && !missing)
      return notApplicable('no journal: nothing was changed from this work directory yet');
    return findingsOr([broken ?? missing, interrupted(journal)], ok(describe(journal)));
  },
  meaning: `${layout.journal} records every change. Each line holds the hash of the previous line in its chain, and each copy of the work directory writes its own chain. No line was changed, removed or inserted, and each intent has an outcome. An intent without an outcome is a change whose run was killed: its effect is not recorded.`,
  breaks:
    'The journal is no longer a reliable account of what was changed, when and by whom. Trust itself is not affected; the other checks cover it.',
  byHand: `tail -n 5 "$WORK_DIR/${layout.journal}"\ngit -C "$WORK_DIR" log --oneline -- ${layout.journal}   # if the work directory is in Git`,
  fix: `A truncated last line and a change without an outcome are closed by the next command that can make changes; \`kubectl mesh init\` without arguments changes nothing else. A changed or removed line cannot be fixed. First compare the file with Git or a backup, and restore the original ${layout.journal} if you find it. Otherwise, run the suggested command: it renames the file and ${layout.journalHead}, and the next change starts a new chain. The heads recorded in the clusters (MESH116) are still compared with the renamed file. MESH116 and \`kubectl mesh journal verify\` report the broken journal that was set aside until you have investigated it and moved it out of the work directory. The renamed file includes the entries of other copies of the work directory; those copies then report missing entries, and start a new chain in the same way. A missing file was deleted, or not copied with the work directory: restore it from Git, a backup or the other copy; \`kubectl mesh journal verify\` reports which entries the clusters recorded. Without the file, the next change starts a new journal, and earlier changes are not accounted for.`,
  source: 'docs/work-directory.md, "The journal"; a hash chain as in RFC 6962, section 2',
});

/** Lines that no run writes: an edited file, a failed merge, a restored old file. */
function brokenChain({present, faults}: JournalFacts, {now}: CheckSubject): Finding | undefined {
  const broken = faults.filter(({kind}) => kind !== 'torn');
  if (broken.length === 0) return undefined;
  const problems = broken.map(({line, message}) => (line === 0 ? message : `line ${String(line)}: ${message}`));
  // `2027-03-01T1205`
  const day = now.toISOString().slice(0, 16).replace(':', '');
  // The file with the head moves along: it refers to an entry that the new journal does not contain.
  const head = inWorkDir(layout.journalHead);
  const moveHead = fixWith.run('mv', [head, inWorkDir(archivedHeadName(day))]);
  const moveJournal = fixWith.run('mv', [inWorkDir(layout.journal), inWorkDir(archivedJournalName(day))]);
  return {
    observed: some(problems, 3),
    fix: present ? sequence(moveJournal, ifExists(head, moveHead)) : moveHead,
  };
}

/** A journal that was deleted, or not copied with the work directory. With one that was set aside, MESH116 reports the rest. */
function missingJournal({present, evidence, brokenAside}: JournalFacts): Finding | undefined {
  if (present || evidence === undefined || brokenAside.length > 0) return undefined;
  return {
    severity: 'warning',
    observed: `${layout.journal} not found, although ${evidence}`,
    expected: `the ${layout.journal} to which that change was written`,
    fix: kubectlMesh('journal verify'),
  };
}

/** What the next command that can change something closes. */
function interrupted({faults, open}: JournalFacts): Finding | undefined {
  const torn = faults.filter(({kind}) => kind === 'torn');
  if (torn.length === 0 && open.length === 0) return undefined;
  const observed = [
    ...torn.map(({line}) => `line ${String(line)} is truncated: its run was interrupted while writing it`),
    ...(open.length === 0 ? [] : [some(open.map(describeOpen), 3)]),
  ].join('; ');
  return {severity: 'warning', observed, fix: kubectlMesh('init')};
}

function describeOpen({command, cluster, title, time}: OpenChange): string {
  const what = cluster === undefined ? title : `${title} (${cluster})`;
  return `"${command}" of ${time} was interrupted during: ${what}`;
}

function describe({entries, chains, openElsewhere}: JournalFacts): string {
  const summary = `${plural(entries, 'entry', 'entries')} in ${plural(chains, 'chain')}`;
  return openElsewhere === 0
    ? summary
    : `${summary}; ${String(openElsewhere)} without an outcome, from other copies of the work directory, which close them`;
}
