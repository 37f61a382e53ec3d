import {mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {parseAllDocuments} from 'yaml';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import AccessRole from '../../src/commands/access/role.js';
import AccessShow from '../../src/commands/access/show.js';
import type {AccessManifest} from '../../src/domain/access/role-manifests.js';
import type {AccessResult} from '../../src/operations/access/show.js';
import type {FakeCluster} from '../helpers/fake-kubectl/fake-cluster.js';
import {startFakeKube, type FakeKube} from '../helpers/fake-kubectl/fake-kube.js';
import {istiod} from '../helpers/trust-mesh.js';
import {answerOf, runCommand, type CommandRun} from '../helpers/run-command.js';

let dir: string;
let kube: FakeKube;
let env: Record<string, string>;

const declaration = `apiVersion: kubectl-mesh/v1alpha1
kind: Mesh
clusters:
  - {name: a, context: ctx-a}
  - {name: b, context: ctx-b}
`;
const declare = (more = ''): Promise<void> => writeFile(join(dir, 'mesh.yaml'), declaration + more);

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'km-access-'));
  kube = await startFakeKube(['ctx-a', 'ctx-b']);
  env = {PATH: kube.path, WORK_DIR: dir};
  await declare();
});
afterEach(async () => {
  await kube.stop();
  await rm(dir, {recursive: true, force: true});
});

const apiVersion = 'rbac.authorization.k8s.io/v1';

/** Grants a subject a rule in the Istio namespace, or without a namespace in the cluster. */
function grant(cluster: FakeCluster, subject: object, rule: object, namespace?: string, name = 'seeded'): void {
  const metadata = {name, ...(namespace !== undefined && {namespace})};
  const kind = namespace === undefined ? 'ClusterRole' : 'Role';
  cluster.put({apiVersion, kind, metadata, rules: [rule]});
  cluster.put({apiVersion, kind: `${kind}Binding`, metadata, roleRef: {kind, name}, subjects: [subject]});
}
const alice = {kind: 'User', name: 'alice'};
const secrets = (verb: string, ...resourceNames: string[]): object => ({
  apiGroups: [''],
  resources: ['secrets'],
  verbs: [verb],
  ...(resourceNames.length > 0 && {resourceNames}),
});
const readerToken = 'needle-in-a-token';

/** Gives `a` a remote secret of `b`, whose service account can read the Secrets there. */
function linked(): void {
  const payload = Buffer.from('{"sub":"system:serviceaccount:istio-system:istio-reader-service-account"}').toString(
    'base64url',
  );
  const kubeconfig = JSON.stringify({users: [{name: 'b', user: {token: `e30.${payload}.${readerToken}`}}]});
  kube.cluster('ctx-a').put({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {namespace: 'istio-system', name: 'istio-remote-secret-b', labels: {'istio/multiCluster': 'true'}},
    data: {b: Buffer.from(kubeconfig).toString('base64')},
  });
  const reader = {kind: 'ServiceAccount', namespace: 'istio-system', name: 'istio-reader-service-account'};
  grant(kube.cluster('ctx-b'), reader, secrets('get'), undefined, 'reader');
}

const show = (...argv: string[]): Promise<CommandRun> => runCommand(AccessShow, argv, env);
const resultOf = (run: CommandRun): AccessResult => answerOf(run) as AccessResult;
const unexpected = (run: CommandRun): readonly string[] =>
  resultOf(run).clusters.flatMap(({name, subjects}) =>
    subjects.filter(({expected}) => !expected).map(({id, from}) => `${name} ${id} ${from ?? ''}`.trim()),
  );

describe('access show', () => {
  it('exits with 0 without unexpected subjects, and reports that the list is a lower bound', async () => {
    const run = await show('--fail-on', 'warning');
    expect(run.code).toBe(0);
    expect(run.stdout).toMatch(/a: 0 unexpected, 1 expected[^]*Cloud IAM/);
  });

  it('exits with 0 with findings, and with 3 with --fail-on warning', async () => {
    grant(kube.cluster('ctx-a'), alice, secrets('get', 'cacerts'), 'istio-system');
    expect((await show()).code).toBe(0);
    const run = await show('-o', 'json', '--fail-on', 'warning');
    expect([run.code, unexpected(run)]).toEqual([3, ['a User:alice']]);
    expect(resultOf(run).clusters[0]?.subjects[0]?.ways).toEqual([
      {
        way: 'read-secret',
        effect: 'reads',
        rights: [{verb: 'get', resource: 'secrets', name: 'cacerts'}],
        through: [
          {kind: 'RoleBinding', name: 'seeded', namespace: 'istio-system', role: {kind: 'Role', name: 'seeded'}},
        ],
        check: 'MESH206',
      },
    ]);
  });

  it('includes the Secret that istiod mounts instead of cacerts', async () => {
    kube.cluster('ctx-a').put(istiod('1.31.0', {CLUSTER_ID: 'a'}, 1, {secret: {secretName: 'mesh-ca'}}));
    grant(kube.cluster('ctx-a'), alice, secrets('get', 'mesh-ca'), 'istio-system');
    expect(unexpected(await show('-o', 'json'))).toEqual(['a User:alice']);
  });

  it('follows remote secrets into a cluster, even if only that cluster is given, and prints no token', async () => {
    linked();
    grant(kube.cluster('ctx-a'), alice, secrets('get', 'istio-remote-secret-b'), 'istio-system');
    for (const format of ['text', 'wide', 'json']) {
      const {stdout, stderr} = await show('b', '-o', format);
      expect(stdout).toContain('istio-remote-secret-b');
      expect(stdout + stderr).not.toContain(readerToken);
    }
    expect(unexpected(await show('b', '-o', 'json'))).toEqual(['b User:alice a']);
    expect(unexpected(await show('a', '-o', 'json'))).toEqual([]);
  });

  it('treats the subjects in mesh.yaml as expected, and names the source', async () => {
    grant(kube.cluster('ctx-a'), alice, secrets('get'), 'istio-system');
    await declare('access: {expected: ["User:alice"]}\n');
    const run = await show('--fail-on', 'warning');
    expect([run.code, run.stdout]).toEqual([0, expect.stringContaining('declared in mesh.yaml: User:alice')]);
  });

  it('includes the Secret of a cluster signer, which contains the root key', async () => {
    grant(kube.cluster('ctx-a'), alice, secrets('get', 'company-root'), 'istio-system');
    expect(unexpected(await show('-o', 'json'))).toEqual([]);
    await declare('trust: {signer: {type: cluster, context: ctx-a, secret: company-root}}\n');
    expect(unexpected(await show('-o', 'json'))).toEqual(['a User:alice']);
  });

  it('reports that no cluster contains a CA key', async () => {
    await declare('trust: {signer: {type: external, issuer: spire}}\n');
    expect(resultOf(await show('-o', 'json')).warnings).toEqual([{message: expect.stringMatching(/SPIRE/i) as string}]);
  });

  it.each([['bob'], ['Robot:x'], ['ServiceAccount:a']])('rejects %j as an expected subject', async (subject) => {
    await declare(`access: {expected: [${JSON.stringify(subject)}]}\n`);
    const run = await show();
    expect([run.code, run.stderr]).toEqual([2, expect.stringContaining('access.expected[0] must be a subject')]);
  });

  it('exits with 4 without read access, names every missing permission, and reports the other clusters', async () => {
    grant(kube.cluster('ctx-b'), alice, secrets('get', 'cacerts'), 'istio-system');
    kube.cluster('ctx-a').deny({verb: 'list', resource: 'clusterrolebindings'});
    kube.cluster('ctx-a').deny({verb: 'list', resource: 'secrets'});
    const run = await show('-o', 'json', '--fail-on', 'error');
    expect([run.code, unexpected(run)]).toEqual([4, ['b User:alice']]);
    const {outcome, error} = resultOf(run).clusters[0] ?? {};
    expect([outcome, error?.message]).toEqual([
      'unknown',
      expect.stringMatching(/list clusterrolebindings.*list secrets/s),
    ]);
  });

  it('exits with 4 if another cluster that may contain an access path cannot be read', async () => {
    kube.cluster('ctx-a').deny({verb: 'list', resource: 'roles'});
    const run = await show('b', '-o', 'json');
    expect([run.code, resultOf(run).elsewhere.map(({name, outcome}) => [name, outcome])]).toEqual([
      4,
      [['a', 'unknown']],
    ]);
  });

  it.each([
    ['its remote secrets', {verb: 'list', resource: 'secrets'}],
    ["its cluster's identity", {verb: 'get', resource: 'namespaces'}],
  ])('exits with 4 if an API server does not return %s', async (_, match) => {
    kube.cluster('ctx-a').fault(match, {status: 500, message: 'etcd is gone'}, 10);
    const run = await show('-o', 'json');
    expect([run.code, resultOf(run).clusters.map(({outcome}) => outcome)]).toEqual([4, ['unknown', 'done']]);
  });

  it('exits with 4 without a context for another cluster, and with 2 without one for a given cluster', async () => {
    await writeFile(join(dir, 'mesh.yaml'), declaration.replace('{name: b, context: ctx-b}', '{name: b}'));
    expect((await show('a')).code).toBe(4);
    expect((await show('b')).code).toBe(2);
  });

  it('reports the remote secrets that it does not follow', async () => {
    kube.cluster('ctx-a').put({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: {namespace: 'istio-system', name: 'other', labels: {'istio/multiCluster': 'true'}},
      data: {b: 'e30=', elsewhere: 'e30='},
    });
    const {warnings, unknownHolders} = resultOf(await show('-o', 'json'));
    expect(warnings.map(({message}) => message)).toEqual([
      expect.stringMatching(/other grants access to b as an unknown subject/),
      expect.stringMatching(/other grants access to elsewhere.*are unknown/),
    ]);
    expect(unknownHolders).toEqual([{cluster: 'a', secret: 'other', leadsTo: 'b'}]);
    // Both users and pipelines must see it.
    const run = await show('--fail-on', 'warning');
    expect([run.code, run.stderr]).toEqual([3, expect.stringMatching(/unknown subject[^]*are unknown/)]);
    expect((await show()).code).toBe(0);
  });

  it('does not evaluate a cluster with the roles of another one, if its context points there', async () => {
    grant(kube.cluster('ctx-a'), alice, secrets('get', 'cacerts'), 'istio-system');
    const recorded = declaration.replace('context: ctx-a', 'context: ctx-a, uid: 11111111-2222-3333-4444-555555555555');
    await writeFile(join(dir, 'mesh.yaml'), recorded);
    const run = await show('-o', 'json');
    expect([run.code, unexpected(run)]).toEqual([5, []]);
    expect(resultOf(run).clusters[0]).toMatchObject({outcome: 'refused', error: {code: 'UID_MISMATCH'}, subjects: []});
  });

  it('prints each subject name on one line, whatever it contains', async () => {
    grant(kube.cluster('ctx-a'), {kind: 'User', name: 'a\u001b[2Jb\nc'}, secrets('get'), 'istio-system');
    const {stdout} = await show('a');
    expect(stdout).not.toContain('\u001b');
    expect(stdout.split('\n').filter((line) => line.includes('MESH206'))).toHaveLength(1);
  });
});

describe('access role', () => {
  const role = (...argv: string[]): Promise<CommandRun> => runCommand(AccessRole, argv, env);
  const documents = ({stdout}: CommandRun): readonly AccessManifest[] =>
    parseAllDocuments(stdout).map((document) => document.toJS() as AccessManifest);

  it.each(['reader', 'operator', 'installer'])(
    'prints the same manifests for a %s as YAML and as a List',
    async (level) => {
      const argv = ['--role', level, '--subject', 'Group:ops', '--subject', 'ServiceAccount:ci/bot'];
      const {items} = answerOf(await role(...argv, '-o', 'json')) as {items: readonly AccessManifest[]};
      expect(documents(await role(...argv))).toEqual(items);
      expect(items.map(({kind}) => kind)).toEqual(['ClusterRole', 'Role', 'ClusterRoleBinding', 'RoleBinding']);
      expect(items.at(-1)?.subjects).toEqual([
        {apiGroup: 'rbac.authorization.k8s.io', kind: 'Group', name: 'ops'},
        {kind: 'ServiceAccount', name: 'bot', namespace: 'ci'},
      ]);
    },
  );

  it('works without mesh.yaml, accesses no cluster, and uses the given namespace', async () => {
    await rm(join(dir, 'mesh.yaml'));
    const run = await role('-n', 'mesh-system', '--name', 'ours');
    expect(run.code).toBe(0);
    expect(documents(run).map(({metadata}) => [metadata.name, metadata.namespace])).toEqual([
      ['ours', undefined],
      ['ours', 'mesh-system'],
    ]);
    expect(kube.cluster('ctx-a').requests).toEqual([]);
  });

  it('reads the names of revisions and of the signer from mesh.yaml', async () => {
    await declare(
      'istio: {revisions: [canary]}\ntrust: {signer: {type: cluster, context: ctx-a, secret: company-root}}\n',
    );
    const rules = documents(await role('--role', 'operator')).flatMap((manifest) => manifest.rules ?? []);
    const namesOf = (resource: string): readonly string[] =>
      rules.filter(({resources}) => resources.includes(resource)).flatMap(({resourceNames = []}) => resourceNames);
    expect(namesOf('deployments')).toEqual(['istiod', 'istiod-canary']);
    expect(namesOf('secrets')).toContain('company-root');
  });

  it('names every Secret whose name is known, and none with --no-secrets', async () => {
    const secretsOf = async (...argv: string[]): Promise<readonly string[]> =>
      documents(await role(...argv))
        .flatMap(({rules = []}) => rules)
        .filter(({resources}) => resources.includes('secrets'))
        .flatMap(({verbs, resourceNames = ['*']}) =>
          verbs.flatMap((verb) => resourceNames.map((name) => `${verb} ${name}`)),
        );
    const peers = ['get istio-remote-secret-a', 'get istio-remote-secret-b'];
    expect(await secretsOf()).toEqual(['get cacerts', 'get cacerts-previous', 'get istio-ca-secret', ...peers]);
    expect(await secretsOf('--no-secrets')).toEqual([]);
    expect(await secretsOf('--access')).toContain('list *');
    expect((await secretsOf('--role', 'operator')).filter((one) => one.endsWith('*'))).toEqual(['create *']);
  });

  it.each([
    [['--subject', 'alice'], /invalid --subject/],
    [['--subject', 'User:a\nb'], /invalid --subject/],
    [['--name', 'a b'], /--name/],
    [['--role', 'operator', '--no-secrets'], /--no-secrets/],
    [['--access', '--no-secrets'], /cannot be combined/],
    [['-n', 'Not_A_Namespace'], /--istio-namespace/],
    [['--role', 'admin'], /--role/],
  ])('rejects %j', async (argv, message) => {
    const run = await role(...argv);
    expect([run.code, run.stderr]).toEqual([2, expect.stringMatching(message)]);
  });
});
