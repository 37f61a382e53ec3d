/**
 * Who can reach the CA keys of a mesh of two real clusters, with a subject for each way: `access show` agrees with the API
 * server's own answers, each way is walked, and what verify prints closes them.
 */
import {readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import type {AccessResult, ShownSubject} from '../../src/operations/access/show.js';
import type {Cluster} from './harness/cluster.js';
import type {DataResource} from './harness/api.js';
import {at, startSetting, type Setting} from './harness/mesh.js';
import {findings, type MeshCli} from './harness/mesh-cli.js';

let setting: Setting;
let cli: MeshCli;
let one: Cluster;
let two: Cluster;

const apiVersion = 'rbac.authorization.k8s.io/v1';
const rbac = `/apis/${apiVersion}`;

/** A rule about the core group, or `group/resource`. */
const rule = (verbs: string, resource: string, ...resourceNames: string[]) => {
  const [plain = '', group = ''] = resource.split('@');
  return {
    apiGroups: [group],
    resources: [plain],
    verbs: verbs.split(','),
    ...(resourceNames.length > 0 && {resourceNames}),
  };
};
const roleKinds = 'clusterroles@rbac.authorization.k8s.io';

/** Users of cluster one: what each may do, where, and which check has to find it. */
const users: Readonly<Record<string, {where?: string; rules: readonly object[]; check?: string}>> = {
  'named-reader': {where: 'istio-system', rules: [rule('get', 'secrets', 'cacerts')], check: 'MESH206'},
  'cluster-lister': {rules: [rule('list', 'secrets')], check: 'MESH206'},
  patcher: {where: 'istio-system', rules: [rule('patch', 'secrets')], check: 'MESH206'},
  sweeper: {where: 'istio-system', rules: [rule('deletecollection', 'secrets')], check: 'MESH206'},
  'other-reader': {where: 'istio-system', rules: [rule('get', 'secrets', 'something')]},
  elsewhere: {where: 'default', rules: [rule('get,list', 'secrets'), rule('create', 'pods')]},
  runner: {where: 'istio-system', rules: [rule('create', 'deployments@apps')], check: 'MESH207'},
  changer: {where: 'istio-system', rules: [rule('patch', 'deployments@apps', 'istiod')], check: 'MESH207'},
  executor: {where: 'istio-system', rules: [rule('create', 'pods/exec')], check: 'MESH207'},
  'any-exec': {rules: [rule('create', '*/exec')], check: 'MESH207'},
  forwarder: {where: 'istio-system', rules: [rule('create', 'pods/portforward'), rule('get', 'pods/log')]},
  debugger: {where: 'istio-system', rules: [rule('patch', 'pods/ephemeralcontainers')], check: 'MESH207'},
  kubelet: {rules: [rule('get', 'nodes/proxy')], check: 'MESH207'},
  'named-creator': {where: 'istio-system', rules: [rule('create', 'pods', 'istiod')]},
  writer: {where: 'istio-system', rules: [rule('update', 'secrets', 'cacerts')], check: 'MESH207'},
  impostor: {rules: [rule('impersonate', 'users')], check: 'MESH207'},
  'half-impostor': {rules: [rule('impersonate', 'groups')]},
  tokens: {where: 'istio-system', rules: [rule('create', 'serviceaccounts/token', 'istiod')], check: 'MESH207'},
  'pod-of': {where: 'shop', rules: [rule('create', 'pods')], check: 'MESH207'},
  escalator: {rules: [rule('escalate,patch,get', roleKinds)], check: 'MESH207'},
  'half-escalator': {rules: [rule('patch,get', roleKinds)]},
  binder: {
    where: 'istio-system',
    rules: [rule('create', 'rolebindings@rbac.authorization.k8s.io'), rule('bind', roleKinds, 'edit')],
    check: 'MESH207',
  },
  'view-binder': {
    where: 'istio-system',
    rules: [rule('create', 'rolebindings@rbac.authorization.k8s.io'), rule('bind', roleKinds, 'view')],
  },
  'peer-reader': {
    where: 'istio-system',
    rules: [rule('get', 'secrets', 'istio-remote-secret-two')],
    check: 'MESH208',
  },
};

async function grant(cluster: Cluster, name: string, rules: readonly object[], where?: string): Promise<void> {
  const place = where === undefined ? rbac : `${rbac}/namespaces/${where}`;
  const kind = where === undefined ? 'ClusterRole' : 'Role';
  const plural = kind.toLowerCase();
  await cluster.api.apply(`${place}/${plural}s/test-${name}`, {
    apiVersion,
    kind,
    metadata: {name: `test-${name}`},
    rules,
  });
  await cluster.api.apply(`${place}/${plural}bindings/test-${name}`, {
    apiVersion,
    kind: `${kind}Binding`,
    metadata: {name: `test-${name}`},
    roleRef: {apiGroup: 'rbac.authorization.k8s.io', kind, name: `test-${name}`},
    subjects: [
      {apiGroup: 'rbac.authorization.k8s.io', kind: 'Group', name: 'another-group'},
      {apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name},
    ],
  });
}

async function show(...args: string[]): Promise<AccessResult & {readonly code: number | null}> {
  const ran = await cli.run(['access', 'show', ...args, '-o', 'json']);
  return {...(JSON.parse(ran.stdout) as AccessResult), code: ran.code};
}

const subjectsOf = ({clusters}: AccessResult, name: string): readonly ShownSubject[] =>
  clusters.find((cluster) => cluster.name === name)?.subjects ?? [];
const unexpected = (result: AccessResult, name: string): readonly string[] =>
  subjectsOf(result, name)
    .filter(({expected}) => !expected)
    .map(({id}) => id)
    .sort();

/** istioctl makes the remote secret of one cluster, and it is put into another. */
async function link(from: string, into: string): Promise<void> {
  const ran = await cli.shell(
    `istioctl create-remote-secret --context kwok-${from} --name ${from} -n istio-system | kubectl --context kwok-${into} apply -f -`,
  );
  expect(ran.code, ran.stderr).toBe(0);
}

beforeAll(async () => {
  setting = await startSetting({name: 'one'}, {name: 'two'});
  cli = setting.cli;
  [one, two] = [at(setting.clusters, 0), at(setting.clusters, 1)];
  await cli.must('init', 'one=kwok-one', 'two=kwok-two');
  await cli.must('up', '--key-algorithm', 'ecdsa-p256');
  await link('one', 'two');
  await link('two', 'one');
}, 900_000);
afterAll(() => setting.sandbox.close());

describe('a mesh as Istio and Kubernetes make it', () => {
  it('has nobody unexpected, and says which of them are expected', async () => {
    const result = await show('--fail-on', 'warning');
    expect([result.code, ...unexpected(result, 'one'), ...unexpected(result, 'two')]).toEqual([0]);
    const ids = subjectsOf(result, 'one').map(({id, from}) => `${id} ${from ?? ''}`.trim());
    expect(ids).toEqual(
      expect.arrayContaining([
        'Group:system:masters',
        'ServiceAccount:istio-system/istiod',
        'ServiceAccount:istio-system/istio-reader-service-account',
        'ServiceAccount:istio-system/istiod two',
        'Group:system:masters two',
      ]),
    );
    const verdict = await cli.verify('--access', '--wait', '--timeout', '1m');
    expect([verdict.code, findings(verdict)]).toEqual([0, []]);
    expect(verdict.checks.filter(({id}) => /MESH20[678]/.test(id)).map(({result: each}) => each)).toEqual(
      Array(5).fill('ok'),
    );
  });
});

describe('subjects of every way', () => {
  let result: AccessResult & {readonly code: number | null};

  beforeAll(async () => {
    await one.api.create('/api/v1/namespaces', {apiVersion: 'v1', kind: 'Namespace', metadata: {name: 'shop'}});
    for (const [name, {rules, where}] of Object.entries(users)) await grant(one, name, rules, where);
    // A service account of another namespace that reads Secrets everywhere: whom pod-of can run a pod as.
    await one.kubectl('-n', 'shop', 'create', 'serviceaccount', 'tool');
    await one.kubectl(
      'create',
      'clusterrolebinding',
      'tool',
      '--clusterrole=test-cluster-lister',
      '--serviceaccount=shop:tool',
    );
    result = await show('--fail-on', 'warning');
  });

  it('are found, each by its check, and nobody else', () => {
    expect(result.code).toBe(3);
    const found = (cluster: string): Record<string, string> =>
      Object.fromEntries(
        subjectsOf(result, cluster)
          .filter(({expected, kind}) => !expected && kind === 'User')
          .map(({name, from, ways}) => [`${name}${from === undefined ? '' : ` of ${from}`}`, ways[0]?.check ?? '']),
      );
    const wanted = Object.entries(users).flatMap(([name, {check}]) => (check === undefined ? [] : [[name, check]]));
    expect(found('one')).toEqual(Object.fromEntries(wanted));
    expect(unexpected(result, 'one')).toContain('ServiceAccount:shop/tool');
    // The peer's reader reads the remote secret that leads back: a Secret of two opens the key of one, too.
    expect(subjectsOf(result, 'one').find(({name}) => name === 'peer-reader')?.ways[0]?.path).toHaveLength(2);
    // Who reads Secrets by name only, and not the remote one, gets no further.
    expect(found('two')['peer-reader of one']).toBe('MESH208');
    expect(found('two')).not.toHaveProperty(['named-reader of one']);
    expect(found('two')).toHaveProperty(['cluster-lister of one']);
  });

  it('may, and the others may not, what the API server says they may', async () => {
    // Questions as a person would ask them with kubectl auth can-i, not those of our table.
    const secrets = ['get', 'list', 'watch', 'patch', 'deletecollection'].map((verb) => [verb, '', 'secrets']);
    const queries: Readonly<Record<string, readonly (readonly string[])[]>> = {
      'read-secret': secrets,
      workload: ['create', 'patch'].flatMap((verb) => [
        [verb, 'apps', 'deployments'],
        [verb, '', 'pods'],
        [verb, 'batch', 'jobs'],
      ]),
      exec: [['create', '', 'pods/exec']],
      'ephemeral-container': [['patch', '', 'pods/ephemeralcontainers']],
      node: [['get', '', 'nodes/proxy']],
      'replace-secret': [['update', '', 'secrets']],
    };
    const nameFor = (verb: string, resource: string): object => {
      if (resource === 'secrets') return verb === 'deletecollection' ? {} : {name: 'cacerts'};
      if (resource === 'deployments') return verb === 'create' ? {} : {name: 'istiod'};
      return resource === 'pods/exec' || resource === 'pods/ephemeralcontainers' ? {name: 'istiod-1'} : {};
    };
    const mayAny = async (user: string, questions: readonly (readonly string[])[]): Promise<boolean> => {
      const answers = await Promise.all(
        questions.map(async ([verb = '', group = '', resource = '']) => {
          const [plural = '', subresource] = resource.split('/');
          const answer = (await one.api.create('/apis/authorization.k8s.io/v1/subjectaccessreviews', {
            apiVersion: 'authorization.k8s.io/v1',
            kind: 'SubjectAccessReview',
            spec: {
              user,
              groups: ['system:authenticated'],
              resourceAttributes: {
                verb,
                group,
                resource: plural,
                ...(subresource !== undefined && {subresource}),
                ...(plural !== 'nodes' && {namespace: 'istio-system'}),
                ...nameFor(verb, resource),
              },
            },
          })) as {readonly status: {readonly allowed: boolean}};
          return answer.status.allowed;
        }),
      );
      return answers.includes(true);
    };
    for (const name of Object.keys(users)) {
      const own = subjectsOf(result, 'one').find((subject) => subject.kind === 'User' && subject.name === name);
      for (const [way, questions] of Object.entries(queries)) {
        const ours = own?.ways.some((each) => each.way === way) ?? false;
        expect(`${name} ${way} ${String(ours)}`).toBe(`${name} ${way} ${String(await mayAny(name, questions))}`);
      }
    }
    const canI = await cli.shell(
      'kubectl --context kwok-one auth can-i get secrets/cacerts -n istio-system --as named-reader',
    );
    expect(canI.stdout.trim()).toBe('yes');
  });

  it('get the key, or the right to it, where they go that way', async () => {
    const as = (user: string, words: string) => cli.shell(`kubectl --context kwok-one --as ${user} ${words}`);
    const key = /"ca-key\.pem": "[A-Za-z0-9+/=]{40,}"|"ca-key\.pem":"[A-Za-z0-9+/=]{40,}"/;
    const inNamespace = '-n istio-system';
    const read = [
      // kubectl patch reads before it patches; server-side apply does not, and is answered with the whole Secret.
      await cli.shell(
        `echo '{"apiVersion":"v1","kind":"Secret","metadata":{"name":"cacerts","namespace":"istio-system","labels":{"x":"y"}}}' | kubectl --context kwok-one --as patcher apply --server-side --force-conflicts --dry-run=server -f - -o json`,
      ),
      await as('sweeper', `delete --raw '/api/v1/namespaces/istio-system/secrets?dryRun=All'`),
      await as('named-reader', `get --raw '/api/v1/namespaces/istio-system/secrets/cacerts'`),
    ];
    for (const {code, stdout, stderr} of read) expect([code, stderr, key.test(stdout)]).toEqual([0, '', true]);
    const token = await as('tokens', `${inNamespace} create token istiod`);
    expect(token.stdout.split('.')).toHaveLength(3);
    const bind = (user: string, role: string) =>
      as(user, `${inNamespace} create rolebinding mine --clusterrole=${role} --user=${user} --dry-run=server`);
    expect((await bind('binder', 'edit')).code).toBe(0);
    expect((await bind('view-binder', 'edit')).stderr).toMatch(
      /attempting to grant RBAC permissions not currently held/,
    );
    const escalate = (user: string) =>
      as(
        user,
        `patch clusterrole system:basic-user --dry-run=server --type json -p '[{"op":"add","path":"/rules/-","value":{"apiGroups":[""],"resources":["secrets"],"verbs":["get"]}}]'`,
      );
    expect((await escalate('escalator')).code).toBe(0);
    expect((await escalate('half-escalator')).stderr).toMatch(/not currently held/);
    const half = await cli.shell('kubectl --context kwok-one --as x --as-group system:masters get ns');
    expect(half.code).toBe(0);
  });

  it("reach the other cluster's key with the remote secret, and no longer when its reader may not read Secrets", async () => {
    const path = '/api/v1/namespaces/istio-system/secrets/istio-remote-secret-two';
    const {data = {}} = await one.api.get<DataResource>(path);
    const stolen = join(setting.sandbox.dir, 'stolen');
    writeFileSync(stolen, Buffer.from(data.two ?? '', 'base64').toString('utf8'), {mode: 0o600});
    const ran = await cli.shell(
      `kubectl --kubeconfig ${stolen} -n istio-system get secret cacerts -o jsonpath='{.data}'`,
    );
    expect([ran.code, ran.stdout.includes('ca-key.pem')]).toEqual([0, true]);
    const remote = subjectsOf(result, 'two').find(({name, from}) => name === 'peer-reader' && from === 'one');
    expect(remote?.ways[0]).toMatchObject({
      way: 'remote-secret',
      via: 'ServiceAccount:istio-system/istio-reader-service-account',
      path: [{cluster: 'one', secret: 'istio-remote-secret-two', leadsTo: 'two'}],
    });

    const role = `${rbac}/clusterroles/istio-reader-clusterrole-istio-system`;
    const before = await two.api.get<
      DataResource & {readonly rules: readonly {readonly resources: readonly string[]}[]}
    >(role);
    const rules = before.rules.map((each) => ({
      ...each,
      resources: each.resources.filter((resource) => resource !== 'secrets'),
    }));
    await two.api.patch(role, {rules});
    expect(unexpected(await show('two'), 'two')).toEqual([]);
    await two.api.patch(role, {rules: before.rules});
    expect(unexpected(await show('two'), 'two')).toContain('User:peer-reader');
  });

  it('are no findings where mesh.yaml expects them', async () => {
    const meshYaml = join(cli.workDir, 'mesh.yaml');
    const before = readFileSync(meshYaml, 'utf8');
    const ids = [...new Set(['one', 'two'].flatMap((name) => unexpected(result, name)))];
    writeFileSync(meshYaml, `${before}access:\n  expected:\n${ids.map((id) => `    - ${id}\n`).join('')}`);
    const now = await show('--fail-on', 'warning');
    expect([now.code, ...unexpected(now, 'one'), ...unexpected(now, 'two')]).toEqual([0]);
    writeFileSync(meshYaml, before);
  });

  it('are taken out of their bindings, and nobody else is, by the commands that verify prints', async () => {
    // A subject with a second binding, or with access through another subject, may appear again: at most twice here.
    for (let round = 0; round < 3; round++) {
      const rows = findings(await cli.verify('--access', '--only', 'MESH206,MESH207,MESH208'));
      if (round === 0) expect(rows.length).toBeGreaterThan(15);
      for (const {fix = ''} of rows.filter((row) => !row.observed?.startsWith('Group:another-group'))) {
        const ran = await cli.shell(fix);
        expect(ran.code, `${fix}\n${ran.stderr}`).toBe(0);
      }
    }
    const left = unexpected(await show(), 'one');
    expect(left).toEqual(['Group:another-group']);
    const binding = await one.api.get<DataResource & {readonly subjects: readonly {readonly name: string}[]}>(
      `${rbac}/namespaces/istio-system/rolebindings/test-executor`,
    );
    expect(binding.subjects.map(({name}) => name)).toEqual(['another-group']);
  });
});
