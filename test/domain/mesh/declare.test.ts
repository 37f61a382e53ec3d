import {describe, expect, it} from 'vitest';
import {type Declaration, type DeclarationTexts, declareMesh} from '../../../src/domain/mesh/declare.js';
import {parseMeshFile} from '../../../src/domain/mesh/parse.js';

const nothing: DeclarationTexts = {mesh: undefined, contexts: undefined, gitignore: undefined};

/** Returns the texts after several declarations in sequence, as commands write them. */
function after(texts: DeclarationTexts, ...declarations: readonly Declaration[]): DeclarationTexts {
  return declarations.reduce((before, declaration) => declareMesh(before, declaration).after, texts);
}

describe('a declaration', () => {
  it('creates mesh.yaml and .gitignore in an empty directory, with given values only', () => {
    const {files} = declareMesh(nothing, {clusters: ['cluster1']});
    expect(files.map(({path}) => path)).toEqual(['mesh.yaml', '.gitignore']);
    expect(parseMeshFile(files[0]?.content ?? '')).toEqual({
      apiVersion: 'kubectl-mesh/v1alpha1',
      kind: 'Mesh',
      clusters: [{name: 'cluster1'}],
    });
  });

  it("records the values of the guide's five commands step by step", () => {
    const texts = after(
      nothing,
      {clusters: ['cluster1']},
      {clusters: ['cluster1'], contexts: {cluster1: 'kind-1'}, uids: {cluster1: 'u1'}},
      {clusters: ['cluster1'], meshID: 'mesh1', networks: {cluster1: 'network1'}},
    );
    expect(parseMeshFile(texts.mesh ?? '')).toEqual({
      apiVersion: 'kubectl-mesh/v1alpha1',
      kind: 'Mesh',
      meshID: 'mesh1',
      clusters: [{name: 'cluster1', context: 'kind-1', network: 'network1', uid: 'u1'}],
    });
  });

  it("records Istio's names that differ, and never replaces one", () => {
    const texts = after(
      nothing,
      {clusters: ['a', 'b', 'c'], istioNames: {a: 'Kubernetes', b: 'b'}},
      {istioNames: {a: 'Other', c: 'Prod_EU.2'}},
    );
    expect(parseMeshFile(texts.mesh ?? '').clusters).toEqual([
      {name: 'a', istioName: 'Kubernetes'},
      {name: 'b'},
      {name: 'c', istioName: 'Prod_EU.2'},
    ]);
  });

  it('changes nothing the second time', () => {
    const output: Declaration = {
      clusters: ['a', 'b'],
      meshID: 'm',
      istioNamespace: 'i',
      contexts: {a: 'x'},
      networks: {a: 'n'},
      uids: {a: 'u'},
    };
    const texts = after(nothing, output);
    expect(declareMesh(texts, output)).toEqual({files: [], summary: [], after: texts});
  });

  it('never replaces a declared value, except for a UID', () => {
    const texts = after(nothing, {
      clusters: ['a'],
      meshID: 'm',
      contexts: {a: 'x'},
      networks: {a: 'n'},
      uids: {a: 'u'},
    });
    expect(declareMesh(texts, {meshID: 'other', contexts: {a: 'y'}, networks: {a: 'o'}}).files).toEqual([]);
    expect(parseMeshFile(after(texts, {uids: {a: 'v'}}).mesh ?? '').clusters?.[0]?.uid).toBe('v');
  });

  it("does not write a user's own context to mesh.yaml if another one is declared", () => {
    const texts = after(nothing, {clusters: ['a'], contexts: {a: 'theirs'}});
    const own = after(texts, {ownContexts: {a: 'mine'}});
    expect(own.mesh).toBe(texts.mesh);
    expect(own.contexts).toContain('a: mine');
    expect(after(own, {ownContexts: {a: 'mine too'}}).contexts).toContain('a: mine too');
  });

  it("declares a shared context and records a user's own in contexts.yaml", () => {
    const named = after(nothing, {clusters: ['a']});
    const {mesh, contexts} = after(named, {contexts: {a: 'shared'}, ownContexts: {a: 'mine'}});
    expect([parseMeshFile(mesh ?? '').clusters?.[0]?.context, contexts]).toEqual([
      'shared',
      expect.stringContaining('a: mine'),
    ]);
  });

  it('does not change .gitignore if mesh.yaml exists, unless requested', () => {
    const texts = {...after(nothing, {clusters: ['a']}), gitignore: 'mine\n'};
    expect(declareMesh(texts, {clusters: ['b']}).files.map(({path}) => path)).toEqual(['mesh.yaml']);
    expect(declareMesh(texts, {gitignore: true}).files.map(({path}) => path)).toEqual(['.gitignore']);
  });

  it('returns the texts with its changes', () => {
    const {files, after: texts} = declareMesh(
      {...nothing, contexts: 'b: y\n'},
      {clusters: ['a', 'b'], ownContexts: {b: 'x'}},
    );
    expect(files.map(({content}) => content)).toEqual([texts.mesh, texts.gitignore, texts.contexts]);
  });

  it('never assigns one context to two clusters in either file', () => {
    const texts = after(nothing, {clusters: ['a', 'b'], contexts: {a: 'x', b: 'y'}});
    expect(() => declareMesh(texts, {ownContexts: {b: 'x'}})).toThrow(
      expect.objectContaining({code: 'CONTRADICTION'}) as Error,
    );
  });

  it('writes nothing that cannot be read back', () => {
    expect(() => declareMesh(nothing, {clusters: ['a', 'b'], contexts: {a: 'x', b: 'x'}})).toThrow(
      expect.objectContaining({code: 'MESH_YAML_INVALID'}) as Error,
    );
  });
});
