import {describe, expect, it} from 'vitest';
import {parseMeshFile} from '../../../src/domain/mesh/parse.js';
import type {Group} from '../../../src/engine/operation.js';
import {type MeshRequest, declareGroups, loadMesh} from '../../../src/operations/shared/load-mesh.js';
import {createWorkspace} from '../../../src/workspace/create.js';
import {temporaryRoot} from '../../workspace/temporary-root.js';

async function empty() {
  return createWorkspace({root: await temporaryRoot(), now: () => new Date()});
}

async function perform(workspace: ReturnType<typeof createWorkspace>, groups: readonly Group[]): Promise<void> {
  for (const action of groups.flatMap(({lanes}) => lanes.flatMap(({actions}) => actions))) {
    if (action.kind === 'write-files') await workspace.write(action.files);
  }
}

describe('the mesh an operation loads', () => {
  it("is declared step by step by the guide's commands", async () => {
    const workspace = await empty();
    const steps: readonly MeshRequest[] = [
      {clusters: ['cluster1']},
      {clusters: ['cluster1'], context: 'ctx-1'},
      {clusters: ['cluster1'], meshId: 'mesh1', network: 'network1'},
      {clusters: ['cluster1'], istioNamespace: 'istio-2'},
    ];
    for (const step of steps) await perform(workspace, declareGroups(await loadMesh({workspace}, step)));
    const loaded = await loadMesh({workspace}, {clusters: []});
    expect(loaded.clusters).toEqual([{name: 'cluster1', role: 'primary', context: 'ctx-1', network: 'network1'}]);
    expect(loaded.mesh).toMatchObject({meshID: 'mesh1', istio: {namespace: 'istio-2'}});
    expect(declareGroups(loaded)).toEqual([]);
  });

  it('writes nothing by itself, so that reads and dry runs leave a directory empty', async () => {
    const workspace = await empty();
    const loaded = await loadMesh({workspace}, {clusters: ['a']});
    const written = declareGroups(loaded).flatMap(({lanes}) => lanes.flatMap(({actions}) => actions));
    expect(written).toMatchObject([{files: [{path: 'mesh.yaml'}, {path: '.gitignore'}]}]);
    expect(loaded.declared).toBe(false);
    expect(await workspace.list('.')).toEqual([]);
  });

  it('does not record a --context that only differs for this run', async () => {
    const workspace = await empty();
    await perform(workspace, declareGroups(await loadMesh({workspace}, {clusters: ['a'], context: 'declared'})));
    const loaded = await loadMesh({workspace}, {clusters: ['a'], context: 'today'});
    expect(loaded.clusters[0]?.context).toBe('today');
    expect(declareGroups(loaded)).toEqual([]);
  });

  it('records values from flags and values that the command discovered together', async () => {
    const workspace = await empty();
    const loaded = await loadMesh({workspace}, {clusters: ['a', 'b']});
    const groups = declareGroups(loaded, {uids: {a: 'u1', b: 'u2'}});
    expect(groups).toHaveLength(1);
    await perform(workspace, groups);
    expect(parseMeshFile((await workspace.readText('mesh.yaml')) ?? '').clusters).toEqual([
      {name: 'a', uid: 'u1'},
      {name: 'b', uid: 'u2'},
    ]);
  });

  it('notes contexts of undeclared clusters', async () => {
    const workspace = await empty();
    await perform(workspace, declareGroups(await loadMesh({workspace}, {clusters: ['a']})));
    await workspace.write([{path: 'contexts.yaml', content: 'a: mine\nold: gone\n'}]);
    const loaded = await loadMesh({workspace}, {clusters: []});
    expect(loaded.clusters[0]?.context).toBe('mine');
    expect(loaded.notes).toEqual([expect.stringContaining('old')]);
  });
});
