/**
 * Edits of mesh.yaml and contexts.yaml that change only the lines they are about. Comments, order, quotes, blank lines
 * and indentation stay byte for byte, because the text itself is edited at the places where the parser found the
 * fields; printing the parsed document again would reformat what a person wrote.
 */
import {
  type Document,
  isMap,
  isNode,
  isScalar,
  isSeq,
  type Pair,
  parseDocument,
  stringify,
  type YAMLMap,
  type YAMLSeq,
} from 'yaml';
import {MeshError} from '../errors.js';
import {gitignorePatterns} from './layout.js';

/** Fields of a cluster entry that this program writes, in the order in which it writes them. */
const clusterFields = ['context', 'network', 'role', 'primary', 'uid'] as const;
export type ClusterField = (typeof clusterFields)[number];

/** A cluster to add. */
export type NewCluster = {readonly name: string} & Readonly<Partial<Record<ClusterField, string>>>;

/** A new mesh.yaml that says only what was said. */
export function newMeshFile(said: {readonly meshID?: string; readonly clusters: readonly NewCluster[]}): string {
  const head = [
    '# The mesh, as kubectl mesh makes and checks it.',
    'apiVersion: kubectl-mesh/v1alpha1',
    'kind: Mesh',
    ...(said.meshID === undefined ? [] : [`meshID: ${scalar(said.meshID)}`]),
  ];
  const clusters = said.clusters.length === 0 ? [] : ['clusters:', ...said.clusters.flatMap((one) => entry(one, '  '))];
  return [...head, ...clusters, ''].join('\n');
}

/** Adds clusters at the end of the list. The text must be a valid mesh.yaml without clusters of these names. */
export function addClusters(text: string, added: readonly NewCluster[]): string {
  if (added.length === 0) return text;
  const document = parse(text);
  const top = topMap(document);
  const clusters: unknown = top.get('clusters', true);
  const flow = added.map(flowEntry).join(', ');
  const lines = (indent: string): readonly string[] => added.flatMap((cluster) => entry(cluster, indent));
  if (!isSeq(clusters)) {
    if (!isFlow(top)) return appendLines(text, ['clusters:', ...lines('  ')]);
    return edited(text, [insertPair(text, top, 'clusters', `[${flow}]`)]);
  }
  if (isFlow(clusters)) {
    const last = clusters.items.at(-1);
    const at = isNode(last) ? endOf(last) : startOf(clusters) + 1;
    return edited(text, [{from: at, to: at, by: `${isNode(last) ? ', ' : ''}${flow}`}]);
  }
  return edited(text, [insertLines(text, endOf(clusters), lines(' '.repeat(columnOf(text, startOf(clusters)))))]);
}

/**
 * Sets one field of clusters, by their names: all at once, since finding the places costs a reading of the whole text.
 * Throws `INTERNAL` when there is no such cluster: callers look first.
 */
export function setClusterField(
  text: string,
  field: ClusterField,
  values: Readonly<Partial<Record<string, string>>>,
): string {
  const clusters: unknown = topMap(parse(text)).get('clusters', true);
  const items: readonly unknown[] = isSeq(clusters) ? clusters.items : [];
  const byName = new Map(items.flatMap((item) => (isMap(item) ? [[item.get('name'), item] as const] : [])));
  const after = ['name', ...clusterFields.slice(0, clusterFields.indexOf(field))];
  return edited(
    text,
    Object.entries(values).map(([name, value = '']) => {
      const found = byName.get(name);
      if (!found) throw new MeshError('INTERNAL', `cluster ${name} is not in the text to edit`);
      return setPair(text, found, field, value, after);
    }),
  );
}

/** Fields outside `clusters` that this program writes: of the file itself, or of one of its blocks. */
export type MeshField =
  | 'meshID'
  | 'trustDomain'
  | 'istio.version'
  | 'istio.namespace'
  | 'istio.revisions'
  | 'trust.keyAlgorithm'
  | 'trust.signer';

/** Sets such a field; a block that is not there yet is made, a map is written in one line. */
export function setMeshField(text: string, field: MeshField, value: string | object): string {
  const top = topMap(parse(text));
  const [block = '', name] = field.split('.');
  if (name === undefined)
    return edited(text, [
      setPair(text, top, block, value, ['apiVersion', 'kind', ...(block === 'trustDomain' ? ['meshID'] : [])]),
    ]);
  const present: unknown = top.get(block, true);
  if (isMap(present)) return edited(text, [setPair(text, present, name, value, [])]);
  const before = ['apiVersion', 'kind', 'meshID', 'trustDomain', ...(block === 'trust' ? ['istio'] : [])];
  if (isFlow(top)) return edited(text, [insertPair(text, top, block, `{${name}: ${inline(value)}}`, before)]);
  const after = top.items.filter((pair) => before.includes(keyOf(pair))).at(-1);
  const lines = [`${block}:`, `  ${name}: ${inline(value)}`];
  return edited(text, [insertLines(text, after === undefined ? text.length : endOfPair(after), lines)]);
}

/** Sets this person's context of a cluster in contexts.yaml; undefined is a file that does not exist yet. */
export function setContext(text: string | undefined, cluster: string, context: string): string {
  if (text === undefined || text.trim() === '') {
    return `# Kubeconfig contexts of this person: they go before the ones in mesh.yaml. Not for git.\n${cluster}: ${scalar(context)}\n`;
  }
  const top: unknown = parse(text).contents;
  if (!isMap(top)) return appendLines(text, [`${cluster}: ${scalar(context)}`]);
  return edited(text, [setPair(text, top, cluster, context, [])]);
}

/** .gitignore with every pattern that keeps keys and this person's files out of git; what stands there stays. */
export function addGitignore(text: string | undefined): string {
  const present = new Set((text ?? '').split(/\r?\n/).map((line) => line.trim()));
  const missing = gitignorePatterns.filter((pattern) => !present.has(pattern));
  if (text !== undefined && missing.length === 0) return text;
  return appendLines(text ?? '', ['# kubectl mesh: private keys, and what belongs to one person only', ...missing]);
}

function parse(text: string): Document.Parsed {
  return parseDocument(text, {logLevel: 'silent'});
}

function topMap(document: Document.Parsed): YAMLMap {
  const top: unknown = document.contents;
  if (isMap(top)) return top;
  throw new MeshError('INTERNAL', 'the text to edit is not a YAML map');
}

function isFlow(node: YAMLMap | YAMLSeq): boolean {
  return node.flow === true;
}

function setPair(text: string, map: YAMLMap, key: string, value: string | object, after: readonly string[]): Edit {
  const present: unknown = map.get(key, true);
  if (isScalar(present)) return {from: startOf(present), to: endOf(present), by: inline(value)};
  return insertPair(text, map, key, inline(value), after);
}

/** Adds a pair behind the last of the named fields that is there, or at the end of the map. */
function insertPair(text: string, map: YAMLMap, key: string, value: string, after: readonly string[] = []): Edit {
  const before = map.items.filter((pair) => after.includes(keyOf(pair))).at(-1) ?? map.items.at(-1);
  const end = before === undefined ? startOf(map) + 1 : endOfPair(before);
  if (isFlow(map)) return {from: end, to: end, by: `${before === undefined ? '' : ', '}${key}: ${value}`};
  const first: unknown = map.items[0]?.key;
  const indent = ' '.repeat(isNode(first) ? columnOf(text, startOf(first)) : 0);
  return insertLines(text, end, [`${indent}${key}: ${value}`]);
}

function keyOf(pair: Pair): string {
  return isScalar(pair.key) ? String(pair.key.value) : '';
}

function startOf(node: {readonly range?: readonly [number, number, number] | null | undefined}): number {
  return node.range?.[0] ?? 0;
}

/** Where a node's own text ends: not counting comments and blank lines that the parser hangs on collections. */
function endOf(node: unknown): number {
  if (isMap(node) && !isFlow(node)) {
    const last = node.items.at(-1);
    if (last) return endOfPair(last);
  }
  if (isSeq(node) && !isFlow(node)) {
    const last: unknown = node.items.at(-1);
    if (isNode(last)) return endOf(last);
  }
  return isNode(node) ? (node.range?.[1] ?? 0) : 0;
}

function endOfPair(pair: Pair): number {
  // A pair without a value ("key:") ends with its colon.
  const keyEnd = endOf(pair.key) + 1;
  return isNode(pair.value) ? Math.max(keyEnd, endOf(pair.value)) : keyEnd;
}

function columnOf(text: string, offset: number): number {
  return offset - (text.lastIndexOf('\n', offset - 1) + 1);
}

/** A value as YAML writes it: quoted where it would be read as a number, a boolean or null. */
function scalar(value: string): string {
  return stringify(value, {lineWidth: 0}).trimEnd();
}

/** A value on one line, a map in braces. */
function inline(value: string | object): string {
  return typeof value === 'string'
    ? scalar(value)
    : stringify(value, {lineWidth: 0, collectionStyle: 'flow', flowCollectionPadding: false}).trimEnd();
}

function entry(cluster: NewCluster, indent: string): readonly string[] {
  return pairs(cluster).map((pair, index) => `${indent}${index === 0 ? '- ' : '  '}${pair}`);
}

function flowEntry(cluster: NewCluster): string {
  return `{${pairs(cluster).join(', ')}}`;
}

function pairs(cluster: NewCluster): readonly string[] {
  return [
    `name: ${scalar(cluster.name)}`,
    ...clusterFields.flatMap((field) => {
      const value = cluster[field];
      return value === undefined ? [] : [`${field}: ${scalar(value)}`];
    }),
  ];
}

/** A piece of text to replace. */
interface Edit {
  readonly from: number;
  readonly to: number;
  readonly by: string;
}

/** The text with all its edits, whose places are those of the text as it was. */
function edited(text: string, edits: readonly Edit[]): string {
  return edits
    .toSorted((one, other) => other.from - one.from)
    .reduce((result, {from, to, by}) => result.slice(0, from) + by + result.slice(to), text);
}

/** Inserts whole lines behind the line on which `offset` stands, with the file's own line ends. */
function insertLines(text: string, offset: number, lines: readonly string[]): Edit {
  // A block scalar ends behind its last line feed: its next line starts right there.
  const lineEnd = text[offset - 1] === '\n' ? offset - 1 : text.indexOf('\n', offset);
  if (lineEnd === -1) return appended(text, lines);
  return {from: lineEnd + 1, to: lineEnd + 1, by: joined(text, lines)};
}

function appendLines(text: string, lines: readonly string[]): string {
  return edited(text, [appended(text, lines)]);
}

function appended(text: string, lines: readonly string[]): Edit {
  const before = text === '' || text.endsWith('\n') ? '' : lineEndOf(text);
  return {from: text.length, to: text.length, by: before + joined(text, lines)};
}

function joined(text: string, lines: readonly string[]): string {
  return lines.map((line) => line + lineEndOf(text)).join('');
}

function lineEndOf(text: string): string {
  return text.includes('\r\n') ? '\r\n' : '\n';
}
