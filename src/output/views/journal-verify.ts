import {layout} from '../../domain/mesh/layout.js';
import {printableLine} from '../../domain/printable.js';
import {kubectlMesh} from '../../domain/suggest/suggestion.js';
import type {ChainSummary, VerifiedCluster, VerifyJournalResult} from '../../operations/journal/verify.js';
import {failedLines} from '../format.js';
import type {Printed, View, ViewContext} from '../view.js';

/** `journal verify`: the file, its chains, and what each cluster remembers. */
export const journalVerifyView: View<VerifyJournalResult> = {
  text: ({journal, secrets, clusters}, {command}) =>
    [
      ...fileLines(journal, command),
      ...journal.aside.flatMap(asideLines),
      ...clusters.flatMap((cluster) => clusterLines(cluster, secrets)),
    ]
      // Indented as they are.
      .map((line) => line.replace(/[^ ].*/s, printableLine))
      .join('\n'),
};

/** More lines say no more to a person. */
const mostFaults = 20;

function fileLines(
  {present, entries, chains, faults, open}: VerifyJournalResult['journal'],
  command: ViewContext['command'],
): readonly string[] {
  const showOpen = kubectlMesh('journal show', ['--status', 'open']);
  const size = `${count(entries, 'entry', 'entries')} in ${count(chains.length, 'chain', 'chains')}`;
  const state = faults.some(({kind}) => kind !== 'torn') ? 'NOT whole' : 'whole';
  return [
    present ? `${layout.journal}: ${state}, ${size}` : `${layout.journal}: not there`,
    ...chains.map(chainLine),
    ...faultLines(faults),
    ...(open > 0 ? [`  ${count(open, 'change', 'changes')} without outcome: see ${command(showOpen)}`] : []),
  ];
}

function asideLines({file, entries, faults}: VerifyJournalResult['journal']['aside'][number]): readonly string[] {
  const size = count(entries, 'entry', 'entries');
  if (faults.length === 0) return [`${file}: put aside, whole, ${size}`];
  return [
    `${file}: put aside, NOT whole, ${size}`,
    ...faultLines(faults),
    '  → somebody has to look at it: compare it with git or a backup, then move it out of the work directory',
  ];
}

function faultLines(faults: VerifyJournalResult['journal']['faults']): readonly string[] {
  return [
    ...faults
      .slice(0, mostFaults)
      .map(({line, message}) => `  ${line === 0 ? '' : `line ${String(line)}: `}${message}`),
    ...(faults.length > mostFaults ? [`  and ${String(faults.length - mostFaults)} more: -o json has all`] : []),
  ];
}

function chainLine({chain, own, entries, newest}: ChainSummary): string {
  const whose = own ? ' (of this copy)' : '';
  const host = newest.host.split('/')[0] ?? '';
  return `  chain ${chain}${whose}: ${count(entries, 'entry', 'entries')}, the newest of ${newest.time} by ${newest.user}@${host}`;
}

const words = {
  agrees: 'agrees',
  rewritten: 'REWRITTEN',
  cut: 'CUT',
  'put-aside': 'BROKEN before it',
  'not-known-here': 'not known here',
  unreadable: 'UNREADABLE',
} as const;

function clusterLines({name, outcome, error, heads}: Printed<VerifiedCluster>, secrets: boolean): readonly string[] {
  if (error) return failedLines({name, outcome}, error);
  if (heads.length === 0 && !secrets) return [`${name}: no ConfigMap remembers a journal; no Secret was read`];
  if (heads.length === 0)
    return [`${name}: remembers no journal: what is there was written by others, or by an older version`];
  return heads.map(({where, result, message}) => `${name}: ${where}: ${words[result]}: ${message}`);
}

function count(number: number, one: string, many: string): string {
  return `${String(number)} ${number === 1 ? one : many}`;
}
