/**
 * The roles that `access role` prints, on a real API server: every command runs with exactly the rights of its role, what a role
 * has not is refused and named, and each right of the operator is missed where it is taken away.
 */
import {mkdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {writeKubeconfigWithToken, type Cluster} from './harness/cluster.js';
import {at, startSetting, type Setting} from './harness/mesh.js';
import {findings, type MeshCli} from './harness/mesh-cli.js';
import type {Ran} from './harness/processes.js';
import {account, createAccount, grant, type RoleList, without} from './harness/roles.js';

let setting: Setting;
let cli: MeshCli;
let cluster: Cluster;

/** What `access role` prints for these arguments, bound to the one account that everything is run as. */
async function manifests(...args: string[]): Promise<RoleList> {
  const printed = await cli.must('access', 'role', ...args, '--name', 'ours', '--subject', account, '-o', 'json');
  return JSON.parse(printed) as RoleList;
}

const become = (list: RoleList): Promise<void> => grant(cluster, setting.sandbox.dir, list);

/** The work directory's user is the account, until the end of a step the administrator. */
async function asAdministrator<T>(act: () => Promise<T>): Promise<T> {
  const before = readFileSync(cli.kubeconfig, 'utf8');
  cli.useContexts({[cluster.context]: cluster});
  try {
    return await act();
  } finally {
    writeFileSync(cli.kubeconfig, before);
  }
}

const summary = ({code, stdout, stderr}: Ran): string => `${String(code)}: ${stdout}${stderr}`;
const renew = (): Promise<string> => cli.must('certs', 'generate', '--renew', '--yes');

beforeAll(async () => {
  setting = await startSetting({name: 'one'});
  cli = setting.cli;
  cluster = at(setting.clusters, 0);
  await cli.must('init', 'one=kwok-one');
  await cluster.kubectl('create', 'namespace', 'istio-system');
  writeKubeconfigWithToken(cli.kubeconfig, cluster, await createAccount(cluster));
}, 900_000);
afterAll(() => setting.sandbox.close());

describe('an installer', () => {
  it('makes the mesh from nothing, applies again, and upgrades nothing it may not', async () => {
    await become(await manifests('--role', 'installer', '--access'));
    await cli.must('up', '--key-algorithm', 'ecdsa-p256');
    expect(summary(await cli.run(['install', 'apply', '--yes']))).toMatch(/^0: /);
    const verdict = await cli.verify('--access');
    expect([verdict.code, findings(verdict)]).toEqual([0, []]);
    // A subject with this role is expected, and no other is reported.
    const shown = await cli.must('access', 'show');
    expect(shown).toContain(`expected, role installer of kubectl mesh access role: ${account}`);
  });
});

describe('an operator', () => {
  let operator: RoleList;

  beforeAll(async () => {
    operator = await manifests('--role', 'operator');
    await become(operator);
  });

  it('pushes, rolls back and looks', async () => {
    await renew();
    await cli.must('trust', 'push', '--yes');
    await renew();
    await cli.must('trust', 'push', '--yes');
    await cli.must('trust', 'rollback', 'one', '--yes');
    expect((await cli.run(['trust', 'diff'])).code).toBe(3);
    await cli.must('trust', 'push', '--yes');
    await cli.must('trust', 'diff');
    await cli.must('trust', 'rotate', 'cluster-ca', '--yes');
    await cli.must('journal', 'verify');
    await cli.must('trust', 'rollback', 'one', '--forget', '--yes');
    const verdict = await cli.verify('--wait', '--timeout', '1m');
    expect([verdict.code, findings(verdict)]).toEqual([0, []]);
  });

  it('does not install: exit 4, what is missing is named, and nothing is changed', async () => {
    const ran = await cli.run(['install', 'apply', '--yes']);
    expect(summary(ran)).toMatch(/^4: /);
    expect(summary(ran)).toMatch(/cannot (?:list|get) /);
  });

  /** What needs a right: how the cluster is made to ask for it, and the command that then fails. */
  const secret = '-n istio-system patch secret cacerts --type=merge -p';
  const needs: readonly (readonly [string, {arrange?: () => Promise<unknown>; words: readonly string[]}])[] = [
    ['get namespaces istio-system', {words: ['trust', 'push', '--yes']}],
    [
      'patch namespaces istio-system',
      {
        arrange: () => cluster.kubectl('label', 'namespace', 'istio-system', 'topology.istio.io/network-'),
        words: ['trust', 'push', '--yes'],
      },
    ],
    ['get secrets cacerts', {words: ['trust', 'push', '--yes']}],
    [
      'get secrets cacerts-previous',
      {
        arrange: async () => {
          await renew();
          await cli.must('trust', 'push', '--yes');
        },
        words: ['trust', 'rollback', 'one', '--yes'],
      },
    ],
    [
      'create secrets',
      {
        arrange: async () => {
          await renew();
          await cluster.kubectl('-n', 'istio-system', 'delete', 'secret', 'cacerts-previous', '--ignore-not-found');
        },
        words: ['trust', 'push', '--yes'],
      },
    ],
    ['update secrets cacerts', {arrange: renew, words: ['trust', 'push', '--yes']}],
    ['get configmaps istio-ca-root-cert', {arrange: renew, words: ['trust', 'push', '--yes']}],
    ['delete secrets cacerts-previous', {words: ['trust', 'rollback', 'one', '--forget', '--yes']}],
    [
      'patch secrets cacerts',
      {
        arrange: async () => {
          rmSync(join(cli.workDir, 'one/ca-key.pem'));
          await asAdministrator(() => cli.shell(`kubectl --context kwok-one ${secret} '{"data":{"x":"eA=="}}'`));
        },
        words: ['trust', 'push', '--yes'],
      },
    ],
    [
      'delete secrets cacerts',
      {
        arrange: async () => {
          await renew();
          await cluster.kubectl('-n', 'istio-system', 'delete', 'secret', 'cacerts');
          const [cert, key] = ['ca-cert.pem', 'ca-key.pem'].map((file) => join(cli.workDir, 'one', file));
          await cluster.kubectl(
            '-n',
            'istio-system',
            'create',
            'secret',
            'tls',
            'cacerts',
            `--cert=${cert ?? ''}`,
            `--key=${key ?? ''}`,
          );
        },
        words: ['trust', 'push', '--yes', '--allow-root-change', '--restart-istiod'],
      },
    ],
    [
      'patch deployments istiod',
      {arrange: otherRoot, words: ['trust', 'push', '--yes', '--allow-root-change', '--restart-istiod']},
    ],
    [
      'get deployments istiod',
      {arrange: otherRoot, words: ['trust', 'push', '--yes', '--allow-root-change', '--restart-istiod']},
    ],
  ];

  /** Another root: only a restart makes istiod take it. */
  async function otherRoot(): Promise<void> {
    for (const file of ['root-cert.pem', 'root-key.pem', 'one']) rmSync(join(cli.workDir, file), {recursive: true});
    await cli.must('certs', 'generate', '--key-algorithm', 'ecdsa-p256');
    await cli.must('install', 'render');
  }

  it.each(needs)(
    'needs to %s: without it a command fails and names it, with it the same command works',
    async (right, {arrange, words}) => {
      await become(operator);
      await arrange?.();
      await become(without(operator, right));
      const ran = await cli.run(words);
      const [verb = '', resource = ''] = right.split(' ');
      expect([ran.code === 0, summary(ran)]).toEqual([false, expect.stringContaining(`cannot ${verb} ${resource}`)]);
      await become(operator);
      expect(summary(await cli.run(words))).toMatch(/^0: /);
    },
  );

  it('has no right for changes that none of these needs', () => {
    const tested = new Set(needs.map(([right]) => right));
    const changing = operator.items
      .flatMap(({rules = []}) => rules)
      .flatMap(({verbs, resources, resourceNames = ['']}) =>
        verbs.flatMap((verb) =>
          resources.flatMap((resource) => resourceNames.map((name) => [verb, resource, name].join(' ').trim())),
        ),
      )
      .filter(
        (right) =>
          /^(?:create|update|patch|delete) /.test(right) && !/^create (?:pods\/portforward|tokenreviews)$/.test(right),
      );
    // A second push with a Secret kept from the first updates that one.
    expect(changing.filter((right) => !tested.has(right))).toEqual(['update secrets cacerts-previous']);
  });
});

describe('a reader', () => {
  it('verifies and compares; to change anything is refused: exit 4, and what is missing is named', async () => {
    await become(await manifests('--role', 'reader'));
    const verdict = await cli.verify('--wait', '--timeout', '1m');
    expect([verdict.code, findings(verdict)]).toEqual([0, []]);
    await cli.must('trust', 'diff');
    await cli.must('journal', 'verify');
    await cli.must('certs', 'list', '--live');
    const elsewhere = join(setting.sandbox.dir, 'adopted');
    mkdirSync(elsewhere);
    await cli.must('certs', 'adopt', `one=${cluster.context}`, '-w', elsewhere);
    expect((await cli.verify('--access')).code).toBe(4);
    await renew();
    const push = await cli.run(['trust', 'push', '--yes']);
    expect(summary(push)).toMatch(/^4: /);
    expect(summary(push)).toMatch(/cannot get namespaces "istio-system"/);
    expect(summary(await cli.run(['trust', 'rollback', 'one', '--yes']))).toMatch(
      /^4: .*cannot get configmaps "istio-ca-root-cert"/s,
    );
    expect(summary(await cli.run(['install', 'apply', '--yes']))).toMatch(/^4: .*cannot/s);
    const shown = await cli.run(['access', 'show']);
    expect(summary(shown)).toMatch(/^4: .*cannot list clusterroles.*cannot list secrets/s);
    await become(await manifests('--role', 'operator'));
    await cli.must('trust', 'push', '--yes');
  });

  it('shows who can reach the key with --access, itself among them', async () => {
    await become(await manifests('--role', 'reader', '--access'));
    const shown = await cli.run(['access', 'show', '--fail-on', 'warning']);
    expect(summary(shown)).toMatch(/^3: /);
    expect(shown.stdout).toContain(account);
  });

  it('without Secrets verifies all the same, and does not reach the key', async () => {
    await become(await manifests('--role', 'reader', '--no-secrets'));
    const verdict = await cli.verify('--no-secrets');
    expect([verdict.code, findings(verdict)]).toEqual([0, []]);
    expect(summary(await cli.run(['trust', 'diff']))).toMatch(/^4: .*cannot get secrets/s);
    const shown = await asAdministrator(() => cli.must('access', 'show', '--fail-on', 'warning'));
    expect(shown).not.toContain('engineer');
  });
});
