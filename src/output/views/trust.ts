import {formatFingerprint, shortFingerprint} from '../../domain/keys/keys.js';
import {printableLine} from '../../domain/printable.js';
import {namedParts} from '../../domain/trust/diff.js';
import type {ComparedCluster, DiffResult} from '../../operations/trust/diff.js';
import type {PushedCluster, PushResult} from '../../operations/trust/report-changes.js';
import type {ShownCa} from '../../domain/ca/inspect-ca.js';
import type {RollbackResult} from '../../operations/trust/rollback.js';
import {clusterCaText, columns, failedLines, indent, withoutRepeatedHints} from '../format.js';
import {kubectlMesh} from '../../domain/suggest/suggestion.js';
import type {Printed, View, ViewContext} from '../view.js';

/** The current time, and how to print fingerprints and commands. */
export interface Style {
  readonly now: Date;
  readonly print: (fingerprint: string) => string;
  readonly command: ViewContext['command'];
}

/** Short fingerprints; full ones with `-o wide`. */
export function withFingerprints<Result>(page: (result: Printed<Result>, style: Style) => string): View<Result> {
  return {
    text: (result, {now, command}) => page(result, {now, command, print: shortFingerprint}),
    wide: (result, {now, command}) => page(result, {now, command, print: formatFingerprint}),
  };
}

/** `trust push`: the CA of each cluster before and after the change, or every reason for refusing the change. */
export const trustPushView = withFingerprints<PushResult>(page);

/** `trust rollback`: like `trust push`; with `--forget`, whether the previous Secret was deleted. */
export const trustRollbackView = withFingerprints<RollbackResult>((result, style) =>
  result.forgotten ? deletedPage(result) : page(result, style),
);

/** `trust diff`: for each difference, the values in the cluster (-) and in the work directory (+). */
export const trustDiffView = withFingerprints<DiffResult>(({clusters}, {print, command}) => {
  const different = clusters.filter(({differences}) => differences.length > 0).map(({name}) => name);
  const push = kubectlMesh('trust push', different);
  return [
    ...withoutRepeatedHints(clusters.flatMap((cluster) => comparedLines(cluster, print))),
    ...(different.length > 0 ? [`Next: ${command(push)} replaces the CA in the cluster`] : []),
  ].join('\n');
});

function page({clusters, dryRun}: Printed<PushResult>, style: Style): string {
  return withoutRepeatedHints(clusters.flatMap((cluster) => clusterLines(cluster, dryRun !== undefined, style))).join(
    '\n',
  );
}

function deletedPage({clusters, dryRun}: Printed<RollbackResult>): string {
  const would = dryRun === undefined ? '' : 'would be ';
  const lines = clusters.flatMap((cluster) => {
    const {name, outcome, namespace, error} = cluster;
    const secret = `Secret ${namespace}/cacerts-previous`;
    if (error) return failureLines(cluster);
    return [
      `${name}: ${outcome === 'unchanged' ? `no previous CA: ${secret} not found` : `${secret} ${would}deleted`}`,
    ];
  });
  return lines.join('\n');
}

function clusterLines(cluster: Printed<PushedCluster>, dryRun: boolean, style: Style): readonly string[] {
  const {name, outcome, error, before, after, keepsPrevious, namespace, restarts, notValidated = []} = cluster;
  if (error) return [...failureLines(cluster), ...indent(sides(cluster, style))];
  if (cluster.madeElsewhere !== undefined) return [`${name}: nothing to push: ${cluster.madeElsewhere}`];
  const secret = `Secret ${namespace}/cacerts`;
  if (cluster.plan === 'unchanged' && (outcome === 'unchanged' || outcome === 'done')) {
    const restarted = restarts.map((deployment) => `Deployment ${deployment} restarted`);
    return [`${name}: ${secret} unchanged`, ...indent([...caLines({current: after}, style), ...restarted])];
  }
  if (outcome === 'cancelled') return [`${name}: cancelled: to complete it, run the command again`];
  if (outcome === 'skipped' && !dryRun) return [`${name}: not started`];
  const would = dryRun ? 'would be ' : '';
  return [
    `${name}: ${secret} ${cluster.plan === 'unchanged' ? '' : would}${doneWords[cluster.plan ?? 'refuse']}`,
    ...indent([
      ...caLines(dryRun ? {current: before, new: after} : {previous: before, current: after}, style),
      ...(keepsPrevious ? [`previous CA ${would}saved as ${secret}-previous`] : []),
      ...restarts.map((deployment) => `Deployment ${deployment} ${would}restarted`),
      ...notValidated.map((what) => `not validated by the API server: ${what}`),
    ]),
  ];
}

const doneWords = {
  create: 'created',
  update: 'updated',
  replace: 'deleted and created',
  unchanged: 'unchanged',
  refuse: 'refused',
} as const;

export function failureLines({
  name,
  outcome,
  error,
  refusals,
}: Printed<Pick<PushedCluster, 'name' | 'outcome' | 'error' | 'refusals'>>): readonly string[] {
  const all = error && !refusals.some(({message}) => message === error.message) ? [error] : refusals;
  return all.flatMap((one) => failedLines({name, outcome}, one));
}

/** The CA in the cluster and the one to write, for a refused change. */
function sides(cluster: Printed<PushedCluster>, style: Style): readonly string[] {
  const {plan, differences, before, after, namespace, error} = cluster;
  if (plan !== 'refuse' || differences.length === 0 || error?.code === 'NOTHING_TO_ROLL_BACK') return [];
  return caLines({current: before ?? `no Secret ${namespace}/cacerts`, new: after}, style);
}

/** Returns a line for each CA, by label. */
export function caLines(
  labeled: Readonly<Record<string, ShownCa | string | undefined>>,
  style: Style,
): readonly string[] {
  return columns(
    Object.entries(labeled).flatMap(([label, ca]) =>
      ca === undefined ? [] : [[`${label}:`, typeof ca === 'string' ? ca : caText(ca, style)]],
    ),
  );
}

function caText({roots, clusterCa}: ShownCa, {now, print}: Style): string {
  const ca = clusterCa ? clusterCaText(clusterCa, now, print) : 'unreadable cluster CA';
  const list = roots.map(({fingerprint}) => print(fingerprint)).join(', ');
  return `${ca}, root ${list === '' ? 'unreadable' : list}`;
}

const parts = {
  secret: 'Secret cacerts',
  clusterCa: 'cluster CA',
  roots: 'roots',
  chain: 'chain',
  key: 'public key',
  crl: 'revocation lists',
  keys: 'other data of the Secret',
  privateKeys: 'data with private keys besides the CA key',
} as const;

function comparedLines(
  {name, outcome, error, differences, madeElsewhere}: Printed<ComparedCluster>,
  print: Style['print'],
): readonly string[] {
  if (madeElsewhere !== undefined) return [`${name}: nothing to compare: ${madeElsewhere}`];
  if (error) return failedLines({name, outcome}, error);
  if (differences.length === 0) return [`${name}: no differences`];
  return [
    `${name}: different`,
    ...differences.flatMap(({part, wanted, found}) => {
      const show = (values: readonly string[]): string =>
        values.length === 0
          ? '(none)'
          : values.map((value) => (namedParts.includes(part) ? printableLine(value) : print(value))).join(', ');
      return [`  ${parts[part]}`, `    - cluster:        ${show(found)}`, `    + work directory: ${show(wanted)}`];
    }),
  ];
}
