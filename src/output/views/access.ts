import {bindingText} from '../../domain/access/findings.js';
import {rightText, pathKinds} from '../../domain/access/path-kinds.js';
import {groupBy} from '../../domain/group-by.js';
import {printableLine} from '../../domain/printable.js';
import type {PrintedRole} from '../../operations/access/role.js';
import type {AccessResult, ShownCluster, ShownSubject, ShownAccessPath} from '../../operations/access/show.js';
import {errorLines, failedLines, indent, some, table} from '../format.js';
import type {Printed, View} from '../view.js';

/** `access role`: manifests for `kubectl apply -f -`. The JSON output is a List without comments. */
export const accessRoleView: View<PrintedRole> = {text: ({yaml}) => yaml()};

/** `access show`: a line for each finding; expected subjects by reason. `wide` prints every access path of each subject. */
export const accessShowView: View<AccessResult> = {
  text: (result) => page(result, clusterText),
  wide: (result) => page(result, clusterWide),
};

function page(
  {clusters, elsewhere, lowerBound}: Printed<AccessResult>,
  show: (cluster: Printed<ShownCluster>) => readonly string[],
): string {
  return [
    ...clusters.flatMap((cluster) => [...show(cluster), '']),
    ...elsewhere.flatMap(({name, error}) =>
      error ? errorLines({...error, message: `access paths from ${name} are unknown: ${error.message}`}) : [],
    ),
    lowerBound,
  ].join('\n');
}

function head({name, outcome, error, subjects}: Printed<ShownCluster>): readonly string[] {
  const unexpected = subjects.filter(({expected}) => !expected).length;
  const counted = `${String(unexpected)} unexpected, ${String(subjects.length - unexpected)} expected`;
  return [
    ...(error && subjects.length === 0 ? [] : [`${name}: ${counted} can reach the CA key`]),
    ...(error ? failedLines({name, outcome}, error) : []),
  ];
}

const columns = ['CHECK', 'SUBJECT', 'CAN', 'PERMISSION', 'GRANTED BY'];

/** An access path in these columns, with at most `most` of its permissions. */
function cells(subject: ShownSubject, way: ShownAccessPath, can: string, most: number): readonly string[] {
  return [way.check ?? '', nameOf(subject), can, rightsOf(way, most), grantedBy(way)];
}

function clusterText(cluster: Printed<ShownCluster>): readonly string[] {
  const lines = cluster.subjects.flatMap((subject) => {
    const first = subject.expected ? undefined : subject.ways.find(({expected}) => expected === undefined);
    if (!first) return [];
    const more = subject.ways.length - 1;
    return [cells(subject, first, `${actionOf(first)}${more === 0 ? '' : `, and ${String(more)} more`}`, 2)];
  });
  return [
    ...head(cluster),
    ...(lines.length === 0 ? [] : indent(table(columns, lines).split('\n'))),
    ...expectedLines(cluster),
  ];
}

/** `expected, istiod: ServiceAccount:istio-system/istiod` */
function expectedLines({subjects}: Printed<ShownCluster>): readonly string[] {
  const reasons = groupBy(
    subjects.filter(({expected}) => expected),
    ({ways: [first]}) => first?.expected ?? '',
  );
  return [...reasons].map(([why, all]) => `  expected, ${printableLine(why)}: ${some(all.map(nameOf), maxNames)}`);
}

/** Kubernetes has dozens of controllers. */
const maxNames = 4;

function clusterWide(cluster: Printed<ShownCluster>): readonly string[] {
  const lines = cluster.subjects.flatMap((subject) =>
    subject.ways.map((way) => [...cells(subject, way, actionOf(way), Infinity), way.expected ?? '']),
  );
  return [...head(cluster), ...indent(table([...columns, 'EXPECTED'], lines).split('\n'))];
}

function nameOf({id, from}: ShownSubject): string {
  return printableLine(from === undefined ? id : `${id} of ${from}`);
}

function actionOf({way, via, path}: ShownAccessPath): string {
  if (way !== 'remote-secret') return printableLine(`${pathKinds[way].phrase}${via === undefined ? '' : `: ${via}`}`);
  const steps = (path ?? []).map(({secret, leadsTo}) => `${secret} to ${leadsTo}`).join(', ');
  return printableLine(`use remote secret ${steps}${via === undefined ? '' : `, as ${via}`}`);
}

function rightsOf({rights}: ShownAccessPath, most: number): string {
  const names = rights.slice(0, most).map(rightText).join(', ');
  return printableLine(`${names}${rights.length > most ? ', …' : ''}`);
}

function grantedBy({through}: ShownAccessPath): string {
  return through.length === 0
    ? 'the API server itself'
    : printableLine(through.map((binding) => bindingText(binding)).join(', '));
}
