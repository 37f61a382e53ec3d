/** `link`: for each cluster the clusters that it reads, and what was done for that. */
import {printableLine} from '../../domain/printable.js';
import {groupBy} from '../../domain/group-by.js';
import type {LinkedCluster, LinkedPeer, LinkResult} from '../../operations/discovery/report-link.js';
import {errorLines, failedLines, formatExpiry, indent, plural, some, withoutRepeatedHints} from '../format.js';
import type {Printed, View} from '../view.js';

interface Style {
  readonly now: Date;
  readonly dryRun: boolean;
  /** Whether peers with the same result share a line. */
  readonly folded: boolean;
}

/** One line for peers with the same result; with `-o wide` a line for each, with its Secret and the address in it. */
export const linkView: View<LinkResult> = {
  text: (result, {now}) => page(result, {now, dryRun: result.dryRun !== undefined, folded: true}),
  wide: (result, {now}) => page(result, {now, dryRun: result.dryRun !== undefined, folded: false}),
};

function page({clusters}: Printed<LinkResult>, style: Style): string {
  const lines = clusters.flatMap((cluster) => clusterLines(cluster, clusters, style));
  return lines.length === 0 ? 'no cluster to link' : withoutRepeatedHints(lines).join('\n');
}

function clusterLines(
  cluster: Printed<LinkedCluster>,
  all: readonly Printed<LinkedCluster>[],
  style: Style,
): readonly string[] {
  const {name, error, peers} = cluster;
  const head = error ? failedLines(cluster, error) : [`${name}: ${summary(cluster, style)}`];
  const shown = peers.filter((peer) => !peer.error || !isSameError(peer.error, error));
  const described = shown.map((peer) => describe(peer, all, style));
  // Hints differ only if the words do.
  const groups = style.folded
    ? [...groupBy(described, ({words}) => words).values()]
    : described.map((one) => [one] as const);
  return [
    ...head,
    ...indent(
      groups.flatMap((same) => {
        const [{words, hints}] = same;
        return errorLines({message: `${some(same.map(({peer}) => peer))}: ${words}`, hints});
      }),
    ),
  ];
}

interface DescribedPeer {
  readonly peer: string;
  readonly words: string;
  readonly hints: NonNullable<Printed<LinkedPeer>['error']>['hints'];
}

/** The error of a pair is shown once: at the cluster that is its cause, if that has no other error, or here. */
function describe(peer: Printed<LinkedPeer>, all: readonly Printed<LinkedCluster>[], style: Style): DescribedPeer {
  const {peer: name, outcome, error} = peer;
  if (!error) return {peer: name, words: peerWords(peer, style), hints: []};
  const cause = all.find((one) => isSameError(error, one.error));
  return cause
    ? {peer: name, words: `${outcome}: see ${cause.name}`, hints: []}
    : {peer: name, words: `${outcome}: ${error.message}`, hints: error.hints};
}

function isSameError(one: NonNullable<Printed<LinkedPeer>['error']>, other: Printed<LinkedCluster>['error']): boolean {
  return one.code === other?.code && one.message === other.message;
}

function summary({outcome, peers}: Printed<LinkedCluster>, {dryRun}: Style): string {
  if (peers.length === 0) return 'reads no other cluster';
  const linked = peers.filter(({error}) => !error).length;
  if (linked === 0) return 'not linked';
  const all = plural(peers.length, 'other cluster');
  const what = `reads ${linked === peers.length ? all : `${String(linked)} of ${all}`}`;
  if (outcome === 'skipped' && dryRun) return `${what}: remote secrets would change`;
  return outcome === 'skipped' ? 'not started' : `${what}: ${outcome}`;
}

const doneWords = {create: 'created', renew: 'token renewed', replace: 'replaced', unchanged: 'unchanged'} as const;
const plannedWords = {
  create: 'would be created',
  renew: 'token would be renewed',
  replace: 'would be replaced',
  unchanged: 'would be checked',
} as const;

function peerWords(peer: Printed<LinkedPeer>, style: Style): string {
  const {outcome, plan, reason, secret, server, tokenExpires, finding} = peer;
  if (finding !== undefined) return `not renewed: ${printableLine(finding)}`;
  if (plan === undefined) return outcome;
  const isPlanned = outcome === 'skipped' && style.dryRun;
  const done = outcome === 'done' || outcome === 'unchanged' ? doneWords[plan] : outcome;
  const skipped = plan === 'unchanged' ? 'not checked' : 'not written';
  const what = isPlanned ? plannedWords[plan] : outcome === 'skipped' ? skipped : done;
  const expiry = tokenExpires === undefined ? '' : `, token expires ${formatExpiry(tokenExpires, style.now)}`;
  const why = reason === undefined ? '' : ` (${printableLine(reason)})`;
  const where = style.folded ? '' : `, Secret ${secret ?? ''}, ${printableLine(server ?? '')}`;
  return `remote secret ${what}${why}${expiry}${where}`;
}
