import {bindingText} from '../../domain/access/findings.js';
import {rightText, ways} from '../../domain/access/paths.js';
import {groupBy} from '../../domain/group-by.js';
import {printableLine} from '../../domain/printable.js';
import type {AccessResult, ShownCluster, ShownSubject, ShownWay} from '../../operations/access/show.js';
import {arrows, indent} from '../lines.js';
import {table} from '../table.js';
import type {Printed} from '../printed.js';
import type {View} from '../view.js';

/** `access show`: findings first, a line each; expected subjects by why they are. `wide` has every way of everybody. */
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
      error
        ? [`What leads here from ${name} is not known: ${printableLine(error.message)}`, ...arrows(error.hints)]
        : [],
    ),
    lowerBound,
  ].join('\n');
}

function head({name, outcome, error, subjects}: Printed<ShownCluster>): readonly string[] {
  const unexpected = subjects.filter(({expected}) => !expected).length;
  const counted = `${String(unexpected)} unexpected, ${String(subjects.length - unexpected)} expected`;
  return [
    error && subjects.length === 0 ? `${name}: ${outcome}` : `${name}: ${counted} can reach the CA key`,
    ...(error ? [`  ${outcome}: ${printableLine(error.message)}`, ...arrows(error.hints)] : []),
  ];
}

function clusterText(cluster: Printed<ShownCluster>): readonly string[] {
  const findings = cluster.subjects.filter(({expected}) => !expected);
  const lines = findings.flatMap((subject) => {
    const [first] = subject.ways.filter(({expected}) => expected === undefined);
    if (!first) return [];
    const more = subject.ways.length - 1;
    return [
      [
        first.check ?? '',
        nameOf(subject),
        `${doing(first)}${more === 0 ? '' : `, and ${String(more)} more`}`,
        rightsOf(first, 2),
        throughOf(first),
      ],
    ];
  });
  return [
    ...head(cluster),
    ...(lines.length === 0
      ? []
      : indent(table(['CHECK', 'SUBJECT', 'MAY', 'BY THE RIGHT', 'THROUGH'], lines).split('\n'))),
    ...expectedLines(cluster),
  ];
}

/** `expected, istiod: ServiceAccount:istio-system/istiod` */
function expectedLines({subjects}: Printed<ShownCluster>): readonly string[] {
  const expected = subjects.filter((subject) => subject.expected);
  return [...groupBy(expected, ({ways: [way]}) => way?.expected ?? '')].map(([why, names]) => {
    const told = names.slice(0, toldNames).map(nameOf).join(', ');
    const more = names.length > toldNames ? ` and ${String(names.length - toldNames)} more` : '';
    return `  expected, ${printableLine(why)}: ${told}${more}`;
  });
}

/** Of the controllers of Kubernetes there are dozens. */
const toldNames = 4;

function clusterWide(cluster: Printed<ShownCluster>): readonly string[] {
  const lines = cluster.subjects.flatMap((subject) =>
    subject.ways.map((way) => [
      way.check ?? '',
      nameOf(subject),
      doing(way),
      rightsOf(way, Infinity),
      throughOf(way),
      way.expected ?? '',
    ]),
  );
  return [
    ...head(cluster),
    ...indent(table(['CHECK', 'SUBJECT', 'MAY', 'BY THE RIGHT', 'THROUGH', 'EXPECTED'], lines).split('\n')),
  ];
}

function nameOf({id, from}: ShownSubject): string {
  return printableLine(from === undefined ? id : `${id} of ${from}`);
}

function doing({way, via, path}: ShownWay): string {
  if (way !== 'remote-secret') return printableLine(`${ways[way].says}${via === undefined ? '' : `: ${via}`}`);
  const steps = (path ?? []).map(({secret, leadsTo}) => `${secret} to ${leadsTo}`).join(', ');
  return printableLine(`go by remote secret ${steps}${via === undefined ? '' : `, as ${via}`}`);
}

function rightsOf({rights}: ShownWay, most: number): string {
  const told = rights.slice(0, most).map(rightText).join(', ');
  return printableLine(`${told}${rights.length > most ? ', …' : ''}`);
}

function throughOf({through}: ShownWay): string {
  return through.length === 0
    ? 'the API server itself'
    : printableLine(through.map((binding) => bindingText(binding)).join(', '));
}
