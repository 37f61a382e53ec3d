import {fixWith, ifExists, inWorkDir, kubectlMesh, sequence} from '../../suggest/suggestion.js';
import {workDirCheck, findingsOr, notApplicable, ok, type Finding, type Subject} from '../check.js';
import {plural, some} from '../../format.js';
import type {JournalFacts, OpenChange} from '../../facts/facts.js';
import {asideHeadName, asideName, layout} from '../../mesh/layout.js';

/** The record of changes was not changed itself, and no run ended in the middle. */
export const journalCheck = workDirCheck({
  id: 'MESH113',
  title: 'The journal is whole',
  scope: 'mesh',
  needs: ['journal'],
  expected: 'every entry as it was written, and an outcome for every change',
  judge: ({journal}, subject) => {
    const broken = brokenChain(journal, subject);
    if (!journal.present && !broken) return notApplicable('nothing was changed from here yet: there is no journal');
    return findingsOr([broken, unfinished(journal)], ok(describe(journal)));
  },
  meaning: `${layout.journal} is the record of every change: each line holds the hash of the line before it in its chain, and each copy of the work directory writes a chain of its own. No line was changed, removed or added, and each intent has its outcome. An intent without one is a change whose run was killed: what it did is not recorded.`,
  breaks:
    'What the record says was done, and when, and by whom, can no longer be relied on. Trust itself is not touched: the other checks say how that is.',
  byHand: `tail -n 5 "$WORK_DIR/${layout.journal}"\ngit -C "$WORK_DIR" log --oneline -- ${layout.journal}   # where the work directory is in git`,
  mend: `A cut-off last line and a change without outcome are recorded as such by the next command that may change something; kubectl mesh init without words changes nothing else. A line that was changed or removed cannot be mended: first compare with git or a backup, and put that ${layout.journal} back if it is the true one. Otherwise the command keeps the file, and ${layout.journalHead}, under other names, where what the clusters remember of it (MESH116) is still found, and the next change begins a new chain. MESH116 and journal verify go on saying that a broken journal was put aside until a person has looked at it and moved it out of the work directory. The lines of other copies go with it; those copies then say that entries of theirs are gone, and begin anew in the same way.`,
  source: 'docs/work-directory.md of this program, "The journal"; a hash chain as in RFC 6962, section 2',
});

/** Lines that no run writes: somebody's editor, a merge that went wrong, a file that was put back. */
function brokenChain({present, faults}: JournalFacts, {now}: Subject): Finding | undefined {
  const broken = faults.filter(({kind}) => kind !== 'torn');
  if (broken.length === 0) return undefined;
  const said = broken.map(({line, message}) => (line === 0 ? message : `line ${String(line)}: ${message}`));
  // `2027-03-01T1205`
  const day = now.toISOString().slice(0, 16).replace(':', '');
  // The file that remembers the newest entry goes with it: it would look for that entry in the new journal.
  const memory = inWorkDir(layout.journalHead);
  const moveMemory = fixWith.run('mv', [memory, inWorkDir(asideHeadName(day))]);
  const moveJournal = fixWith.run('mv', [inWorkDir(layout.journal), inWorkDir(asideName(day))]);
  return {
    observed: some(said, 3),
    fix: present ? sequence(moveJournal, ifExists(memory, moveMemory)) : moveMemory,
  };
}

/** What the next changing run closes. */
function unfinished({faults, open}: JournalFacts): Finding | undefined {
  const torn = faults.filter(({kind}) => kind === 'torn');
  if (torn.length === 0 && open.length === 0) return undefined;
  const observed = [
    ...torn.map(({line}) => `line ${String(line)} is cut off: its run ended while it was written`),
    ...(open.length === 0 ? [] : [some(open.map(describeOpen), 3)]),
  ].join('; ');
  return {severity: 'warning', observed, fix: kubectlMesh('init')};
}

function describeOpen({command, cluster, title, time}: OpenChange): string {
  const what = cluster === undefined ? title : `${title} (${cluster})`;
  return `"${command}" of ${time} ended during: ${what}`;
}

function describe({entries, chains, openElsewhere}: JournalFacts): string {
  const whole = `${plural(entries, 'entry', 'entries')} in ${plural(chains, 'chain')}`;
  return openElsewhere === 0
    ? whole
    : `${whole}; ${String(openElsewhere)} without outcome, of other copies of the work directory, which close them`;
}
