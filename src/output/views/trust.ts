import {formatFingerprint, shortFingerprint} from '../../domain/keys/keys.js';
import {printableLine} from '../../domain/printable.js';
import type {ComparedCluster, DiffResult} from '../../operations/trust/diff.js';
import type {PushedCluster, PushResult} from '../../operations/trust/push.js';
import type {ShownCa} from '../../domain/ca/inspect-ca.js';
import type {RollbackResult} from '../../operations/trust/rollback.js';
import {hintLines, indent} from '../format.js';
import type {Printed, View} from '../view.js';

type Print = (fingerprint: string) => string;

/** Short fingerprints; whole ones with `-o wide`. */
function byPrint<Result>(page: (result: Printed<Result>, print: Print) => string): View<Result> {
  return {text: (result) => page(result, shortFingerprint), wide: (result) => page(result, formatFingerprint)};
}

/** `trust push`: a line for each cluster, then the CA on both sides where it changes; what speaks against it, in full. */
export const trustPushView = byPrint<PushResult>(page);

/** `trust rollback`: the same, or one line when the kept CA was deleted. */
export const trustRollbackView = byPrint<RollbackResult>((result, print) =>
  result.forgotten ? forgottenPage(result) : page(result, print),
);

/** `trust diff`: a line for each cluster; for each difference what the work directory (+) and the cluster (-) have. */
export const trustDiffView = byPrint<DiffResult>(({clusters}, print) =>
  clusters.flatMap((cluster) => comparedLines(cluster, print)).join('\n'),
);

function page({clusters, dryRun}: Printed<PushResult>, print: Print): string {
  return clusters.flatMap((cluster) => clusterLines(cluster, dryRun !== undefined, print)).join('\n');
}

function forgottenPage({clusters, dryRun}: Printed<RollbackResult>): string {
  const would = dryRun === undefined ? '' : 'would be ';
  const lines = clusters.flatMap((cluster) => {
    const {name, outcome, namespace, error} = cluster;
    const secret = `Secret ${namespace}/cacerts-previous`;
    if (error) return failureLines(cluster);
    return [
      `${name}: ${outcome === 'unchanged' ? `nothing was kept: there is no ${secret}` : `${secret} ${would}deleted`}`,
    ];
  });
  return lines.join('\n');
}

function clusterLines(cluster: Printed<PushedCluster>, dryRun: boolean, print: Print): readonly string[] {
  const {name, outcome, error, before, after, keepsPrevious, namespace, restarts, notValidated = []} = cluster;
  if (error) return [...failureLines(cluster), ...indent(sides(cluster, print))];
  if (cluster.madeElsewhere !== undefined) return [`${name}: nothing to push: ${cluster.madeElsewhere}`];
  const secret = `Secret ${namespace}/cacerts`;
  if (cluster.plan === 'unchanged' && (outcome === 'unchanged' || outcome === 'done')) {
    const restarted = restarts.map((deployment) => `Deployment ${deployment} restarted`);
    return [`${name}: ${secret} unchanged`, ...indent([caLine('is', after, print), ...restarted])];
  }
  if (outcome === 'cancelled') return [`${name}: interrupted: run the command again, it does only what is left`];
  if (outcome === 'skipped' && !dryRun) return [`${name}: not started`];
  const will = dryRun ? 'will be ' : '';
  return [
    `${name}: ${secret} ${dryRun && cluster.plan !== 'unchanged' ? 'would be ' : ''}${doneWords[cluster.plan ?? 'refuse']}`,
    ...indent([
      ...(before ? [caLine(dryRun ? 'is' : 'was', before, print)] : []),
      caLine(dryRun ? 'will be' : 'is', after, print),
      ...(keepsPrevious ? [`previous CA ${will}kept as ${secret}-previous`] : []),
      ...restarts.map((deployment) => `Deployment ${deployment} ${will}restarted`),
      ...notValidated.map((what) => `not checked by the API server: ${what}`),
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

function failureLines({name, outcome, error, refusals}: Printed<PushedCluster>): readonly string[] {
  const all = error && !refusals.some(({message}) => message === error.message) ? [error] : refusals;
  return all.flatMap(({message, hints}, index) => [
    `${index === 0 ? `${name}: ${outcome}` : '  and'}: ${printableLine(message)}`,
    ...hintLines(hints),
  ]);
}

/** What a refusal is about: the CA in the cluster, and the one that would have replaced it. */
function sides(cluster: Printed<PushedCluster>, print: Print): readonly string[] {
  const {plan, differences, before, after, namespace, error} = cluster;
  if (plan !== 'refuse' || differences.length === 0 || error?.code === 'NOTHING_TO_ROLL_BACK') return [];
  return [
    before ? caLine('is', before, print) : `is: no Secret ${namespace}/cacerts`,
    caLine('would be', after, print),
  ];
}

function caLine(verb: string, {roots, clusterCa}: ShownCa, print: Print): string {
  const ca = clusterCa
    ? `cluster CA ${print(clusterCa.fingerprint)} (${printableLine(clusterCa.subject)}, until ${clusterCa.notAfter.slice(0, 10)})`
    : 'a cluster CA that cannot be read';
  const list = roots.map(({fingerprint}) => print(fingerprint)).join(', ');
  return `${verb}: ${ca}, root ${list === '' ? 'unreadable' : list}`;
}

const parts = {
  secret: 'Secret cacerts',
  clusterCa: 'cluster CA',
  roots: 'roots',
  chain: 'chain',
  key: "key's public half",
  crl: 'revocation lists',
  keys: 'other keys in the Secret',
} as const;

function comparedLines(
  {name, outcome, error, differences, madeElsewhere}: Printed<ComparedCluster>,
  print: Print,
): readonly string[] {
  if (madeElsewhere !== undefined) return [`${name}: nothing to compare: ${madeElsewhere}`];
  if (error) return [`${name}: ${outcome}: ${printableLine(error.message)}`, ...hintLines(error.hints)];
  if (differences.length === 0) return [`${name}: the same`];
  return [
    `${name}: different`,
    ...differences.flatMap(({part, wanted, found}) => {
      const show = (values: readonly string[]): string =>
        values.length === 0
          ? '(none)'
          : values.map((value) => (part === 'keys' ? printableLine(value) : print(value))).join(', ');
      return [`  ${parts[part]}`, `    - cluster:        ${show(found)}`, `    + work directory: ${show(wanted)}`];
    }),
  ];
}
