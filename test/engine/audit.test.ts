import {describe, expect, it} from 'vitest';
import {MeshError, type ErrorCode} from '../../src/domain/errors.js';
import type {JournalEntry} from '../../src/domain/journal/entry.js';
import type {KubeObject} from '../../src/domain/kube/object.js';
import type {Action, PatchObject} from '../../src/engine/action.js';
import {objectToSend, patchToSend} from '../../src/engine/effects/journal-head.js';
import {createEngine} from '../../src/engine/engine.js';
import type {RunSettings} from '../../src/engine/operation.js';
import {createIdentityReader} from '../../src/engine/api-identity.js';
import type {Clusters, KubeApi} from '../../src/tools/kubectl/api.js';
import {fakeDeps, type Log} from './fake-deps.js';

const entry = {chain: 'aa', seq: 3, hash: 'ab'.repeat(32)};
const head = `aa/3:${entry.hash}`;
const object: KubeObject = {
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: {name: 'x', annotations: {theirs: '1', 'kubectl-mesh/journal-head': 'old'}},
};

describe('an object that records the journal head', () => {
  it('has the entry of its write, in addition to existing annotations', () => {
    expect(objectToSend({object, recordsJournalHead: true}, entry).metadata.annotations).toEqual({
      theirs: '1',
      'kubectl-mesh/journal-head': head,
    });
  });

  it.each([
    ['is not to remember', {}, entry],
    ['was not recorded, as in a dry run', {remembers: true}, undefined],
  ])('is left as it is where it %s', (_, action, its) => {
    expect(objectToSend({object, ...action}, its)).toBe(object);
  });

  const patch = (what: object): PatchObject => ({
    ...{kind: 'patch-object', id: 'p', cluster: 'c', context: 'x', title: 't', recordsJournalHead: true},
    ref: {apiVersion: 'v1', kind: 'Secret', name: 'x'},
    patch: what,
  });

  it('is annotated by both kinds of patch', () => {
    expect(patchToSend(patch({metadata: {labels: {a: 'b'}, annotations: {c: 'd'}}}), entry)).toEqual({
      metadata: {labels: {a: 'b'}, annotations: {c: 'd', 'kubectl-mesh/journal-head': head}},
    });
    const test = {op: 'test', path: '/metadata/resourceVersion', value: '1'};
    expect(patchToSend(patch([test, {op: 'add', path: '/metadata/annotations', value: {c: 'd'}}]), entry)).toEqual([
      test,
      {op: 'add', path: '/metadata/annotations', value: {c: 'd', 'kubectl-mesh/journal-head': head}},
    ]);
  });
});

describe('the API identity', () => {
  const clusters = (answer: () => Promise<unknown>): Pick<Clusters, 'open'> => ({
    open: () => Promise.resolve({create: answer} as unknown as KubeApi),
  });
  const output = (userInfo: unknown) => clusters(() => Promise.resolve({status: {userInfo}}));

  it.each<[string, unknown, JournalEntry['identity']]>([
    ['a user', {username: 'alice', groups: ['a']}, {username: 'alice'}],
    [
      'a service account',
      {username: 'system:serviceaccount:a:b', uid: 'u'},
      {username: 'system:serviceaccount:a:b', uid: 'u'},
    ],
    ['a name that would write the terminal', {username: 'a\u001b[2Jb\nc'}, {username: 'ab c'}],
    ['nobody', {username: ''}, undefined],
    ['no name', {username: 7}, undefined],
    ['nothing', undefined, undefined],
  ])('is %s', async (_, userInfo, identity) => {
    expect(await createIdentityReader(output(userInfo))('ctx')).toEqual(identity);
  });

  it('is limited to one line', async () => {
    expect((await createIdentityReader(output({username: 'x'.repeat(9999)}))('ctx'))?.username).toHaveLength(1024);
  });

  it('is read once per context', async () => {
    let requested = 0;
    const whoAmI = createIdentityReader(
      clusters(() => {
        requested += 1;
        return Promise.resolve({status: {userInfo: {username: 'a'}}});
      }),
    );
    await Promise.all([whoAmI('one'), whoAmI('one'), whoAmI('two')]);
    await whoAmI('one');
    expect(requested).toBe(2);
  });

  it.each<[ErrorCode, boolean]>([
    ['FORBIDDEN', false],
    ['NOT_FOUND', false],
    ['API_ERROR', false],
    ['UNREACHABLE', false],
    ['INTERRUPTED', true],
    ['TIMEOUT', true],
  ])('after %s: thrown %s', async (code, thrown) => {
    const answer = createIdentityReader(clusters(() => Promise.reject(new MeshError(code, 'no'))))('ctx');
    if (thrown) await expect(answer).rejects.toMatchObject({code});
    else expect(await answer).toBeUndefined();
  });
});

describe('audit.reasonRequired', () => {
  const required = 'apiVersion: kubectl-mesh/v1alpha1\nkind: Mesh\naudit: {reasonRequired: true}\n';
  const write: Action = {
    kind: 'write-files',
    id: 'f',
    title: 'write',
    files: [{path: 'f', content: 'x'}],
    confirm: 'f',
  };
  const only: Action = {
    ...{kind: 'await-bundle', id: 'w', cluster: 'c', context: 'x', title: 'wait', namespace: 'n', bundle: ''},
    timeoutMs: 1,
  };
  async function run(action: Action | undefined, meshYaml: string, change: Partial<RunSettings> = {}): Promise<Log> {
    const log: Log = [];
    const engine = createEngine('test', {
      deps: fakeDeps(log, {meshYaml, interactive: true, answer: true}),
      settings: {dryRun: 'none', yes: false, concurrency: 1, keepGoing: false, ...change},
      report: () => undefined,
    });
    const lanes = action ? [{key: 'a', title: 'a', actions: [action]}] : [];
    const groups = [{lanes, onFailure: 'stop' as const}];
    await engine.run({
      title: 't',
      gather: () => Promise.resolve(undefined),
      plan: () => ({groups: action ? groups : [], blockers: [], warnings: []}),
    });
    return log;
  }

  it('is satisfied by a reason, and checked before any prompt', async () => {
    expect(await run(write, required, {reason: 'CHG'})).toContain('write f');
    await expect(run(write, required)).rejects.toMatchObject({code: 'REASON_NEEDED', class: 'refused'});
    await expect(run(write, required, {yes: true, keepGoing: true})).rejects.toMatchObject({code: 'REASON_NEEDED'});
  });

  it.each<[string, Action | undefined, string, Partial<RunSettings>]>([
    ['where mesh.yaml does not ask', write, 'apiVersion: kubectl-mesh/v1alpha1\nkind: Mesh\n', {}],
    ['in a dry run', write, required, {dryRun: 'client'}],
    ['where nothing is changed', undefined, required, {}],
    ['where a run only waits', only, required, {}],
  ])('is no matter %s', async (_, action, meshYaml, change) => {
    await expect(run(action, meshYaml, change)).resolves.toBeDefined();
  });

  it('cannot be bypassed by an unreadable mesh.yaml', async () => {
    await expect(run(write, `${required}nonsense: 1\n`)).rejects.toMatchObject({code: 'MESH_YAML_INVALID'});
  });
});
