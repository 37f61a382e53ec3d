/**
 * Edits of mesh.yaml and contexts.yaml that change only the lines they are about. Comments, order, quotes, blank lines
 * and indentation stay byte for byte, because the text itself is edited at the places where the parser found the
 * fields; printing the parsed document again would reformat what a person wrote.
 */
import {
  type Document,
  isCollection,
  isMap,
  isNode,
  isPair,
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

/** A new, empty mesh.yaml. */
export function newMeshFile(): string {
  return '# The mesh, as kubectl mesh makes and checks it.\napiVersion: kubectl-mesh/v1alpha1\nkind: Mesh\n';
}

/** Adds clusters at the end of the list. The text must be a valid mesh.yaml without clusters of these names. */
export function addClusters(text: string, added: readonly NewCluster[]): string {
  if (added.length === 0) return text;
  const top = topMap(parse(text));
  const clusters: unknown = top.get('clusters', true);
  const entries = added.map(({name, ...fields}) => [
    `name: ${scalar(name)}`,
    ...clusterFields.flatMap((field) => (fields[field] === undefined ? [] : [`${field}: ${scalar(fields[field])}`])),
  ]);
  const flow = entries.map((pairs) => `{${pairs.join(', ')}}`).join(', ');
  const lines = entries.flatMap((pairs) => pairs.map((pair, index) => `${index === 0 ? '- ' : '  '}${pair}`));
  if (isSeq(clusters)) return edited(text, [insert(text, clusters, flow, lines)]);
  if (top.flow !== true) return appendLines(text, ['clusters:', ...lines.map((line) => `  ${line}`)]);
  return edited(text, [insert(text, top, `clusters: [${flow}]`)]);
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
  const edits = Object.entries(values).map(([name, value = '']) => {
    const found = byName.get(name);
    if (!found) throw new MeshError('INTERNAL', `cluster ${name} is not in the text to edit`);
    return setPair(text, found, field, value, ['name', ...clusterFields]);
  });
  return edited(text, edits);
}

/** The order in which this program writes the fields before `clusters`. */
const meshOrder = ['apiVersion', 'kind', 'meshID', 'trustDomain', 'istio', 'trust'];

/** Sets a field of the file itself, or of one of its blocks (`istio.version`); a map is written in one line. */
export function setMeshField(text: string, field: string, value: string | object): string {
  const top = topMap(parse(text));
  const [block = '', name] = field.split('.');
  if (name === undefined) return edited(text, [setPair(text, top, block, value, meshOrder)]);
  const present: unknown = top.get(block, true);
  if (isMap(present)) return edited(text, [setPair(text, present, name, value)]);
  const pair = `${name}: ${inline(value)}`;
  const lines = [`${block}:`, `  ${pair}`];
  return edited(text, [insert(text, top, `${block}: {${pair}}`, lines, placeOf(top, block, meshOrder))]);
}

/** Sets this person's context of a cluster in contexts.yaml; undefined is a file that does not exist yet. */
export function setContext(text: string | undefined, cluster: string, context: string): string {
  if (text === undefined || text.trim() === '') {
    return `# Kubeconfig contexts of this person: they go before the ones in mesh.yaml. Not for git.\n${cluster}: ${scalar(context)}\n`;
  }
  const top: unknown = parse(text).contents;
  if (!isMap(top)) return appendLines(text, [`${cluster}: ${scalar(context)}`]);
  return edited(text, [setPair(text, top, cluster, context)]);
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

function setPair(text: string, map: YAMLMap, key: string, value: string | object, order: readonly string[] = []): Edit {
  const present: unknown = map.get(key, true);
  if (isScalar(present)) return {from: startOf(present), to: endOf(present), by: inline(value)};
  const pair = `${key}: ${inline(value)}`;
  return insert(text, map, pair, [pair], placeOf(map, key, order));
}

/** The last pair of a map whose key comes before this one in an order; undefined where there is none. */
function placeOf(map: YAMLMap, key: string, order: readonly string[]): Pair | undefined {
  const before = order.slice(0, Math.max(0, order.indexOf(key)));
  return map.items.filter((pair) => isScalar(pair.key) && before.includes(String(pair.key.value))).at(-1);
}

/** Adds to a collection, behind one of its items: on the same line, or in lines of their own, as the collection is written. */
function insert(
  text: string,
  collection: YAMLMap | YAMLSeq,
  inLine: string,
  lines: readonly string[] = [inLine],
  behind: unknown = collection.items.at(-1),
): Edit {
  const end = behind === undefined ? startOf(collection) + 1 : endOf(behind);
  if (collection.flow === true) return {from: end, to: end, by: `${behind === undefined ? '' : ', '}${inLine}`};
  const start = startOf(collection);
  const indent = ' '.repeat(start - (text.lastIndexOf('\n', start - 1) + 1));
  return insertLines(
    text,
    end,
    lines.map((line) => indent + line),
  );
}

function startOf(node: {readonly range?: readonly [number, number, number] | null | undefined}): number {
  return node.range?.[0] ?? 0;
}

/** Where an item's own text ends: not counting comments and blank lines that the parser hangs on collections. */
function endOf(item: unknown): number {
  if (isPair(item)) {
    // A pair without a value ("key:") ends with its colon.
    return Math.max(endOf(item.key) + 1, endOf(item.value));
  }
  if (isCollection(item) && item.flow !== true && item.items.length > 0) return endOf(item.items.at(-1));
  return isNode(item) ? (item.range?.[1] ?? 0) : 0;
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
  const from = lineEnd === -1 ? text.length : lineEnd + 1;
  const feed = text.includes('\r\n') ? '\r\n' : '\n';
  const before = from === 0 || text[from - 1] === '\n' ? '' : feed;
  return {from, to: from, by: before + lines.map((line) => line + feed).join('')};
}

function appendLines(text: string, lines: readonly string[]): string {
  return edited(text, [insertLines(text, text.length, lines)]);
}
