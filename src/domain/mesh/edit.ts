/**
 * Edits mesh.yaml and contexts.yaml and changes only the affected lines. Comments, order, quotes, blank lines and
 * indentation stay byte for byte, because the text is edited at the positions that the parser reports; formatting the
 * parsed document would change what users wrote.
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

/** The fields of a cluster entry that this program writes, in order. */
const clusterFields = ['istioName', 'context', 'network', 'role', 'primary', 'uid'] as const;
export type ClusterField = (typeof clusterFields)[number];

/** A cluster to add. */
export type NewCluster = {readonly name: string} & Readonly<Partial<Record<ClusterField, string>>>;

/** Returns a new mesh.yaml without clusters. */
export function newMeshFile(): string {
  return '# The mesh, as declared for kubectl mesh.\napiVersion: kubectl-mesh/v1alpha1\nkind: Mesh\n';
}

/** Appends clusters to the list. The text must be a valid mesh.yaml without clusters of these names. */
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
 * Sets a field of clusters, given values by cluster name: all at once, because finding the positions requires parsing the
 * whole text. Throws `INTERNAL` if a cluster does not exist; callers must check this first.
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

/** The order of the fields before `clusters`. */
const meshOrder = ['apiVersion', 'kind', 'meshID', 'trustDomain', 'istio', 'trust'];

/** Sets a top-level field or a field of a block (`istio.version`). A map is written on one line. */
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

/** Sets this user's context of a cluster in contexts.yaml. `text` is undefined if the file does not exist yet. */
export function setContext(text: string | undefined, cluster: string, context: string): string {
  if (text === undefined || text.trim() === '') {
    return `# Your kubeconfig contexts, which take precedence over those in mesh.yaml. Do not commit this file.\n${cluster}: ${scalar(context)}\n`;
  }
  const top: unknown = parse(text).contents;
  if (!isMap(top)) return appendLines(text, [`${cluster}: ${scalar(context)}`]);
  return edited(text, [setPair(text, top, cluster, context)]);
}

/** Adds the missing patterns for keys and this user's files to .gitignore. Existing lines are kept. */
export function addGitignore(text: string | undefined): string {
  const present = new Set((text ?? '').split(/\r?\n/).map((line) => line.trim()));
  const missing = gitignorePatterns.filter((pattern) => !present.has(pattern));
  if (text !== undefined && missing.length === 0) return text;
  return appendLines(text ?? '', ["# kubectl mesh: private keys and each user's own files", ...missing]);
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

/** Returns the last pair of a map whose key precedes this one in an order; undefined if there is none. */
function placeOf(map: YAMLMap, key: string, order: readonly string[]): Pair | undefined {
  const before = order.slice(0, Math.max(0, order.indexOf(key)));
  return map.items.filter((pair) => isScalar(pair.key) && before.includes(String(pair.key.value))).at(-1);
}

/** Adds to a collection after one of its items: on the same line in flow style, otherwise on separate lines. */
function insert(
  text: string,
  collection: YAMLMap | YAMLSeq,
  inLine: string,
  lines: readonly string[] = [inLine],
  after: unknown = collection.items.at(-1),
): Edit {
  const end = after === undefined ? startOf(collection) + 1 : endOf(after);
  if (collection.flow === true) return {from: end, to: end, by: `${after === undefined ? '' : ', '}${inLine}`};
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

/** Returns where an item's own text ends, without comments and blank lines that the parser attaches to collections. */
function endOf(item: unknown): number {
  if (isPair(item)) {
    // A pair without a value ("key:") ends with its colon.
    return Math.max(endOf(item.key) + 1, endOf(item.value));
  }
  if (isCollection(item) && item.flow !== true && item.items.length > 0) return endOf(item.items.at(-1));
  return isNode(item) ? (item.range?.[1] ?? 0) : 0;
}

/** Formats a string as a YAML scalar, quoted if it would be read as a number, a boolean or null. */
function scalar(value: string): string {
  return stringify(value, {lineWidth: 0}).trimEnd();
}

/** Formats a value on one line, a map in flow style. */
function inline(value: string | object): string {
  return typeof value === 'string'
    ? scalar(value)
    : stringify(value, {lineWidth: 0, collectionStyle: 'flow', flowCollectionPadding: false}).trimEnd();
}

/** A replacement of a part of the text. */
interface Edit {
  readonly from: number;
  readonly to: number;
  readonly by: string;
}

/** Applies edits, whose positions are those in the original text. */
function edited(text: string, edits: readonly Edit[]): string {
  return edits
    .toSorted((one, other) => other.from - one.from)
    .reduce((result, {from, to, by}) => result.slice(0, from) + by + result.slice(to), text);
}

/** Inserts lines after the line that contains `offset`, with the file's line endings. */
function insertLines(text: string, offset: number, lines: readonly string[]): Edit {
  // A block scalar ends after its last line feed, where the next line starts.
  const lineEnd = text[offset - 1] === '\n' ? offset - 1 : text.indexOf('\n', offset);
  const from = lineEnd === -1 ? text.length : lineEnd + 1;
  const feed = text.includes('\r\n') ? '\r\n' : '\n';
  const before = from === 0 || text[from - 1] === '\n' ? '' : feed;
  return {from, to: from, by: before + lines.map((line) => line + feed).join('')};
}

function appendLines(text: string, lines: readonly string[]): string {
  return edited(text, [insertLines(text, text.length, lines)]);
}
