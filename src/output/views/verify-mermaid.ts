/**
 * `-o mermaid`: a flowchart for a README. Uses only syntax that all versions support (mermaid.js.org/syntax/flowchart.html):
 * subgraphs, nodes and links with quoted labels, classes.
 */
import type {
  Acceptance,
  ClusterTopology,
  Discovery,
  MeshTopology,
  Reach,
  TopologyCertificate,
} from '../../domain/checks/topology.js';
import {shortFingerprint} from '../../domain/keys/keys.js';
import {printableLine} from '../../domain/printable.js';
import type {VerifyResult} from '../../operations/verify/verify.js';
import {indent} from '../format.js';

const classes = [
  'classDef ok fill:#e6f4ea,stroke:#137333,color:#000',
  'classDef warning fill:#fef7e0,stroke:#b06000,color:#000',
  'classDef error fill:#fce8e6,stroke:#c5221f,color:#000',
  'classDef unknown fill:#f1f3f4,stroke:#5f6368,color:#000,stroke-dasharray:4',
];

/** `-o mermaid`. */
export function verifyMermaid({mesh}: Pick<VerifyResult, 'mesh'>): string {
  const ids = new Map(mesh.clusters.map(({name}, index) => [name, `c${String(index + 1)}`]));
  const idOf = (name: string): string => ids.get(name) ?? '';
  return ['flowchart LR', ...indent([...networks(mesh, idOf), ...links(mesh, idOf), ...classes])].join('\n');
}

function networks({clusters}: MeshTopology, idOf: (name: string) => string): readonly string[] {
  const names = [...new Set(clusters.map(({network}) => network))];
  return names.flatMap((name, index) => {
    const nodes = clusters.filter(({network}) => network === name).map((cluster) => node(cluster, idOf(cluster.name)));
    if (name === undefined) return nodes;
    return [`subgraph n${String(index + 1)}["${escaped(name)}"]`, ...indent(nodes), 'end'];
  });
}

function node({name, role, primary, verdict, roots, clusterCas}: ClusterTopology, id: string): string {
  const lines = [
    name,
    role === 'remote' ? `remote of ${primary ?? 'a primary'}` : role,
    certificates('root', 'roots', roots),
    ...(role === 'primary' || clusterCas?.length !== 0 ? [certificates('CA', 'CAs', clusterCas)] : []),
    verdict,
  ];
  return `${id}["${lines.map(escaped).join('<br/>')}"]:::${verdict}`;
}

function certificates(one: string, several: string, all: readonly TopologyCertificate[] | undefined): string {
  if (all === undefined) return `${one} unknown`;
  const prints = all.map(({fingerprint}) => shortFingerprint(fingerprint)).join(' ');
  return all.length === 0 ? `no ${one}` : `${all.length === 1 ? one : several} ${prints}`;
}

/** What two clusters are to each other, and how it is drawn. */
interface Relation {
  /** Empty if it was not observed at all. */
  readonly results: (cluster: ClusterTopology) => readonly {readonly cluster: string; readonly result: Result}[];
  /** With the same result in both directions. */
  readonly both: Readonly<Record<DiagramLink, string>>;
  readonly oneWay: Readonly<Record<DiagramLink, string>>;
}
type Result = Acceptance | Discovery | Reach;
type DiagramLink = Exclude<Result, 'none'>;

const relations: readonly Relation[] = [
  {
    results: ({accepts}) => accepts,
    both: {
      yes: '<-->|"trust each other"|',
      no: '<-.->|"do not trust each other"|',
      unknown: '<-.->|"trust unknown"|',
    },
    oneWay: {yes: '-->|"trusts"|', no: '-.->|"does not trust"|', unknown: '-.->|"trust unknown"|'},
  },
  {
    results: ({discovers}) => discovers,
    both: {
      yes: '<==>|"discover each other"|',
      no: '<-.->|"do not discover each other"|',
      unknown: '<-.->|"discovery unknown"|',
    },
    oneWay: {yes: '==>|"discovers"|', no: '-.->|"does not discover"|', unknown: '-.->|"discovery unknown"|'},
  },
  {
    results: ({reaches}) => reaches ?? [],
    both: {
      yes: '<-->|"answer each other"|',
      no: '<-.->|"do not always answer each other"|',
      unknown: '<-.->|"requests unknown"|',
    },
    oneWay: {yes: '-->|"is answered"|', no: '-.->|"is not always answered"|', unknown: '-.->|"requests unknown"|'},
  },
];

/** For each relation one link for a pair with the same result in both directions, otherwise one for each direction. */
function links({clusters}: MeshTopology, idOf: (name: string) => string): readonly string[] {
  return clusters.flatMap((one, index) =>
    clusters.slice(index + 1).flatMap((other) =>
      relations.flatMap(({results, both, oneWay}) => {
        if ([one, other].every((cluster) => results(cluster).length === 0)) return [];
        const answer = (from: ClusterTopology, to: ClusterTopology): Result =>
          results(from).find(({cluster}) => cluster === to.name)?.result ?? 'unknown';
        const direction = (from: ClusterTopology, to: ClusterTopology): readonly string[] => {
          const result = answer(from, to);
          return result === 'none' ? [] : [`${idOf(from.name)} ${oneWay[result]} ${idOf(to.name)}`];
        };
        const [forward, back] = [answer(one, other), answer(other, one)];
        if (forward !== back) return [...direction(one, other), ...direction(other, one)];
        return forward === 'none' ? [] : [`${idOf(one.name)} ${both[forward]} ${idOf(other.name)}`];
      }),
    ),
  );
}

/** Escapes special characters as numeric entities (mermaid.js.org, "Entity codes to escape characters"). Labels must not be empty. */
function escaped(text: string): string {
  const line = printableLine(text);
  return (line === '' ? '-' : line).replace(/[^A-Za-z0-9 .:_-]/gu, (one) => `#${String(one.codePointAt(0) ?? 0)};`);
}
