/** Dependencies within the source (docs/architecture.md): no cycles of files or of the domain's folders. Type imports count. */
import {readdirSync, readFileSync} from 'node:fs';
import {dirname, join, normalize, relative} from 'node:path';
import {fileURLToPath} from 'node:url';
import {expect, it} from 'vitest';

const source = fileURLToPath(new URL('../../src', import.meta.url));
const importOf = /(?:\bfrom|\bimport\()\s*'(\.[^']+)'/g;

type Graph = ReadonlyMap<string, ReadonlySet<string>>;

/** Returns every file of src with the files that it imports. */
function importGraph(): Graph {
  const files = readdirSync(source, {recursive: true, encoding: 'utf8'}).filter((file) => file.endsWith('.ts'));
  const known = new Set(files);
  return new Map(
    files.map((file) => {
      const targets = [...readFileSync(join(source, file), 'utf8').matchAll(importOf)]
        .map(([, path = '']) => normalize(join(dirname(file), path.replace(/\.js$/, '.ts'))))
        .filter((target) => known.has(target) && target !== file);
      return [file, new Set(targets)];
    }),
  );
}

/** Returns the nodes that can reach themselves, each with one cycle. */
function cycles(graph: Graph): readonly string[] {
  const settled = new Set<string>();
  const found: string[] = [];
  const visit = (node: string, path: readonly string[]): void => {
    const start = path.indexOf(node);
    if (start !== -1) {
      found.push([...path.slice(start), node].join(' > '));
      return;
    }
    if (settled.has(node)) return;
    for (const next of graph.get(node) ?? []) visit(next, [...path, node]);
    settled.add(node);
  };
  for (const node of graph.keys()) visit(node, []);
  return found;
}

/** Returns the imports between the folders directly below `root`. */
function folderGraph(graph: Graph, root: string): Graph {
  const folderOf = (file: string): string | undefined => {
    const parts = relative(root, file).split('/');
    return parts[0] === '..' || parts.length < 2 ? undefined : parts[0];
  };
  const folders = new Map<string, Set<string>>();
  for (const [file, targets] of graph) {
    const folder = folderOf(file);
    if (folder === undefined) continue;
    const others = folders.get(folder) ?? new Set();
    folders.set(folder, others);
    for (const target of targets) {
      const other = folderOf(target);
      if (other !== undefined && other !== folder) others.add(other);
    }
  }
  return folders;
}

const graph = importGraph();

it('finds a cycle', () => {
  const ring = new Map([
    ['a', new Set(['b'])],
    ['b', new Set(['c'])],
    ['c', new Set(['b'])],
  ]);
  expect(graph.size).toBeGreaterThan(300);
  expect(cycles(ring)).toEqual(['b > c > b']);
});

it('has no cycles of files', () => {
  expect(cycles(graph)).toEqual([]);
});

it("has no cycles of the domain's folders", () => {
  expect(cycles(folderGraph(graph, 'domain'))).toEqual([]);
});

it("orders the domain's folders as docs/architecture.md does: each imports only those above it", () => {
  const page = readFileSync(new URL('../../docs/architecture.md', import.meta.url), 'utf8');
  const [, table = ''] = page.split('The folders of `src/domain`,');
  const order = [
    ...table
      .split('\n\n', 3)
      .join('\n')
      .matchAll(/^\| `([a-z0-9]+)` /gm),
  ].map(([, name = '']) => name);
  const folders = folderGraph(graph, 'domain');
  expect([...order].sort()).toEqual([...folders.keys()].sort());
  const upward = [...folders].flatMap(([folder, targets]) =>
    [...targets]
      .filter((target) => order.indexOf(target) > order.indexOf(folder))
      .map((target) => `${folder} > ${target}`),
  );
  expect(upward).toEqual([]);
});

it("has no operation that imports another command's operation", () => {
  const folderOf = (file: string): string | undefined => {
    const [layer, folder, name] = file.split('/');
    return layer === 'operations' && name !== undefined ? folder : undefined;
  };
  const sideways = [...graph].flatMap(([file, targets]) => {
    const own = folderOf(file);
    const others = [...targets].filter((target) => ![undefined, own, 'shared'].includes(folderOf(target)));
    return own === undefined ? [] : others.map((target) => `${file} > ${target}`);
  });
  expect(sideways).toEqual([]);
});
