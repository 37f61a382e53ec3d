import {layout} from '../../domain/mesh/layout.js';
import {printableLine} from '../../domain/printable.js';
import {kubectlMesh} from '../../domain/suggest/suggestion.js';
import type {ChainSummary, VerifiedCluster, VerifyJournalResult} from '../../operations/journal/verify.js';
import {failedLines, hintLines, indent, plural} from '../format.js';
import type {Printed, View, ViewContext} from '../view.js';

/** `journal verify`: the file, its chains, and the journal heads that each cluster records. */
export const journalVerifyView: View<VerifyJournalResult> = {
  text: ({journal, secrets, clusters}, {command}) =>
    [
      ...fileLines(journal, command),
      ...journal.aside.flatMap(asideLines),
      ...clusters.flatMap((cluster) => clusterLines(cluster, secrets)),
    ]
      // Keeps the indentation.
      .map((line) => line.replace(/[^ ].*/s, printableLine))
      .join('\n'),
};

/** The maximum number of printed faults. */
const maxPrintedFaults = 20;

function fileLines(
  {present, evidence, entries, chains, faults, open}: VerifyJournalResult['journal'],
  command: ViewContext['command'],
): readonly string[] {
  const showOpen = kubectlMesh('journal show', ['--status', 'open']);
  const size = `${plural(entries, 'entry', 'entries')} in ${plural(chains.length, 'chain')}`;
  const state = faults.some(({kind}) => kind !== 'torn') ? 'DAMAGED' : 'intact';
  return [
    present ? `${layout.journal}: ${state}, ${size}` : `${layout.journal}: not found${missingReason(evidence)}`,
    ...(evidence === undefined
      ? []
      : hintLines(['restore it from Git, a backup or another copy of the work directory'])),
    ...chains.map(chainLine),
    ...faultLines(faults),
    ...(open > 0 ? indent([`${plural(open, 'change')} without an outcome`, ...hintLines([command(showOpen)])]) : []),
  ];
}

function missingReason(evidence: string | undefined): string {
  return evidence === undefined ? ', and no evidence of an earlier change' : `, although ${evidence}`;
}

function asideLines({file, entries, faults}: VerifyJournalResult['journal']['aside'][number]): readonly string[] {
  const size = plural(entries, 'entry', 'entries');
  if (faults.length === 0) return [`${file}: set aside, intact, ${size}`];
  return [
    `${file}: set aside, DAMAGED, ${size}`,
    ...faultLines(faults),
    ...hintLines(['compare it with git or a backup, then move it out of the work directory']),
  ];
}

function faultLines(faults: VerifyJournalResult['journal']['faults']): readonly string[] {
  return [
    ...faults
      .slice(0, maxPrintedFaults)
      .map(({line, message}) => `  ${line === 0 ? '' : `line ${String(line)}: `}${message}`),
    ...(faults.length > maxPrintedFaults
      ? [`  and ${String(faults.length - maxPrintedFaults)} more: -o json prints all`]
      : []),
  ];
}

function chainLine({chain, own, entries, newest}: ChainSummary): string {
  const copy = own ? ' (this copy)' : '';
  const host = newest.host.split('/')[0] ?? '';
  return `  chain ${chain}${copy}: ${plural(entries, 'entry', 'entries')}, last at ${newest.time} by ${newest.user}@${host}`;
}

const words = {
  agrees: 'matches',
  rewritten: 'REWRITTEN',
  cut: 'TRUNCATED',
  'put-aside': 'DAMAGED before this entry',
  'not-known-here': 'not in this journal',
  unreadable: 'UNREADABLE',
} as const;

function clusterLines({name, outcome, error, heads}: Printed<VerifiedCluster>, secrets: boolean): readonly string[] {
  if (error) return failedLines({name, outcome}, error);
  if (heads.length === 0 && !secrets) return [`${name}: no ConfigMap records a journal head; Secrets were not read`];
  if (heads.length === 0)
    return [`${name}: no journal head: its objects were written by another tool or by an older version`];
  return heads.map(({where, result, message}) => `${name}: ${where}: ${words[result]}: ${message}`);
}
