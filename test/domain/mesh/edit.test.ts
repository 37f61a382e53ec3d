import {describe, expect, it} from 'vitest';
import {
  addClusters,
  addGitignore,
  newMeshFile,
  setClusterField,
  setContext,
  setMeshField,
} from '../../../src/domain/mesh/edit.js';
import {gitignorePatterns} from '../../../src/domain/mesh/layout.js';
import {parseContextsFile, parseMeshFile} from '../../../src/domain/mesh/parse.js';

const hand = `# Our mesh, see wiki/Mesh
apiVersion:   kubectl-mesh/v1alpha1   # never change
kind: "Mesh"

meshID: 'mesh1'

istio:
    version: "1.30"   # pinned by Ada

clusters:
# the first one
  - name: cluster1      # Frankfurt

    context: kind-1
    values:
      note: |
        a text of
        two lines
  # the second one
  -   name: cluster2
      network: network1 # flat
# end of clusters

trust: {keyAlgorithm: ecdsa-p256}
# bye`;

/** Styles in which users may write the file. */
const shapes: readonly (readonly [string, string])[] = [
  ['without clusters', 'apiVersion: kubectl-mesh/v1alpha1\nkind: Mesh'],
  ['with an empty list', 'apiVersion: kubectl-mesh/v1alpha1\nkind: Mesh\nclusters: [] # none yet\n'],
  ['with a flow list', 'apiVersion: kubectl-mesh/v1alpha1\nkind: Mesh\nclusters: [{name: a}] # one\n'],
  ['on one line', '{apiVersion: kubectl-mesh/v1alpha1, kind: Mesh}\n'],
  ['as JSON', '{"apiVersion": "kubectl-mesh/v1alpha1", "kind": "Mesh", "clusters": [{"name": "a"}]}\n'],
  ['with a list at the margin', 'apiVersion: kubectl-mesh/v1alpha1\nkind: Mesh\nclusters:\n- name: a\n'],
  ['that ends in a block scalar', `${addClusters(newMeshFile(), [{name: 'a'}])}    values:\n      x: |\n        y\n`],
];

/** Returns the lines of `after` that are not in `before`. All lines of `before` must still exist. */
function added(before: string, after: string): readonly string[] {
  const rest = after.split('\n');
  for (const line of before.split('\n')) {
    const at = rest.indexOf(line);
    expect(at, `missing line: ${line}`).toBeGreaterThanOrEqual(0);
    rest.splice(at, 1);
  }
  return rest;
}

describe('an edit of mesh.yaml', () => {
  it('adds a cluster after the last one in the same style, and keeps every other byte', () => {
    const after = addClusters(hand, [{name: 'cluster3', context: '12', network: 'network1'}]);
    expect(added(hand, after)).toEqual(['  - name: cluster3', '    context: "12"', '    network: network1']);
    expect(after.indexOf('cluster3')).toBeLessThan(after.indexOf('# end of clusters'));
    expect(parseMeshFile(after).clusters?.map(({name}) => name)).toEqual(['cluster1', 'cluster2', 'cluster3']);
  });

  it.each([
    ['cluster1', 'uid', 'abc-1', '    uid: abc-1'],
    ['cluster1', 'network', 'yes', '    network: yes'],
    ['cluster2', 'context', 'a b', '      context: a b'],
    ['cluster2', 'uid', '123', '      uid: "123"'],
  ] as const)('sets a field of %s that is not there: %s', (name, field, value, line) => {
    const after = setClusterField(hand, field, {[name]: value});
    expect(added(hand, after)).toEqual([line]);
    expect(parseMeshFile(after).clusters?.find((cluster) => cluster.name === name)?.[field]).toBe(value);
  });

  it('replaces an existing value and keeps its comment', () => {
    expect(setClusterField(hand, 'network', {cluster2: 'network2'})).toBe(
      hand.replace('network: network1 # flat', 'network: network2 # flat'),
    );
    expect(setMeshField(hand, 'meshID', 'mesh2')).toBe(hand.replace("'mesh1'", 'mesh2'));
  });

  it('adds to an existing block, or creates it', () => {
    expect(added(hand, setMeshField(hand, 'istio.namespace', 'istio-2'))).toEqual(['    namespace: istio-2']);
    const short = addClusters(newMeshFile(), [{name: 'a'}]);
    const after = setMeshField(short, 'trust.keyAlgorithm', 'rsa-2048');
    expect(added(short, after)).toEqual(['trust:', '  keyAlgorithm: rsa-2048']);
    expect(parseMeshFile(after).trust?.keyAlgorithm).toBe('rsa-2048');
  });

  it('keeps CRLF', () => {
    const after = addClusters(hand.replaceAll('\n', '\r\n'), [{name: 'cluster3'}]);
    expect(after.replaceAll('\r\n', '')).not.toContain('\n');
    expect(parseMeshFile(after).clusters).toHaveLength(3);
  });

  it.each(shapes)('works on a file %s', (_what, text) => {
    const before = parseMeshFile(text);
    const after = setMeshField(
      setClusterField(addClusters(text, [{name: 'new', context: 'c'}]), 'uid', {new: 'u1'}),
      'istio.namespace',
      'other',
    );
    const read = parseMeshFile(after);
    expect(read.clusters).toEqual([...(before.clusters ?? []), {name: 'new', context: 'c', uid: 'u1'}]);
    expect(read.istio).toEqual({namespace: 'other'});
    for (const comment of text.match(/#.*/g) ?? []) expect(after).toContain(comment);
  });

  it.each([...shapes, ['written by hand', hand] as const])(
    'gives the same text for one edit as for several on a file %s',
    (_what, text) => {
      const clusters = [{name: 'new1', context: 'c'}, {name: 'new2'}];
      const uids = {new2: 'u2', new1: 'u1'};
      const atOnce = setClusterField(addClusters(text, clusters), 'uid', uids);
      const oneByOne = clusters.reduce((result, cluster) => addClusters(result, [cluster]), text);
      expect(
        Object.entries(uids).reduce((result, [name, uid]) => setClusterField(result, 'uid', {[name]: uid}), oneByOne),
      ).toBe(atOnce);
      expect(addClusters(text, [])).toBe(text);
    },
  );

  it('quotes strings that YAML would read as another type', () => {
    for (const value of ['1.30', 'true', 'null', '~', '1e3', '0x1', 'a: b', 'a #b', '- a', '@a', '"', '']) {
      const text = setContext(undefined, 'a', value);
      if (value !== '') expect(parseContextsFile(text)).toEqual({a: value});
    }
  });
});

describe('contexts.yaml and .gitignore', () => {
  it('add and replace values, and keep the rest', () => {
    const text = '# mine\nb: old # comment\n';
    expect(setContext(text, 'a', 'new')).toBe('# mine\nb: old # comment\na: new\n');
    expect(setContext(text, 'b', 'new')).toBe('# mine\nb: new # comment\n');
    expect(setContext('# only a comment', 'a', 'x')).toBe('# only a comment\na: x\n');
  });

  it('add only missing patterns', () => {
    const once = addGitignore('node_modules\n*.key');
    expect(once.startsWith('node_modules\n*.key\n')).toBe(true);
    for (const pattern of gitignorePatterns) expect(once.split('\n')).toContain(pattern);
    expect(addGitignore(once)).toBe(once);
  });
});
