/** Alert rules evaluated by promtool, with metrics of real istiods and of our own runs. */
import {readFileSync, statSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {parse, stringify} from 'yaml';
import {requestCertificate} from './harness/certificate-request.js';
import type {Cluster} from './harness/cluster.js';
import type {PlayedPod} from './harness/kubelet.js';
import {at, startSetting} from './harness/mesh.js';
import type {MeshCli} from './harness/mesh-cli.js';
import {fetchText} from './harness/port-forward.js';
import {eventually, type Sandbox} from './harness/processes.js';
import {checkMetrics, checkRules, testRules, type Expectation, type Scrape} from './harness/promtool.js';

/** The job that docs/monitoring.md shows. */
const job = fileURLToPath(new URL('../../examples/ci-expiry.sh', import.meta.url));

let sandbox: Sandbox;
let cli: MeshCli;
let clusters: readonly [Cluster, Cluster];
let ruleFile: string;

/** What a Prometheus would have seen: of both istiods, and of the textfile. */
interface Seen {
  readonly one: Scrape;
  readonly two: Scrape;
  readonly textfile: Scrape;
}
let healthy: Seen;

beforeAll(async () => {
  const setting = await startSetting({name: 'c1'}, {name: 'c2'});
  ({sandbox, cli} = setting);
  clusters = [at(setting.clusters, 0), at(setting.clusters, 1)];
  await cli.must('init', 'c1=kwok-c1', 'c2=kwok-c2');
  await cli.must('up', '--key-algorithm', 'ecdsa-p256');
  ruleFile = join(sandbox.dir, 'mesh-rules.yaml');
  await cli.must('monitor', 'rules', '--format', 'rule-file', '--output-file', ruleFile);
  healthy = await look();
});

afterAll(async () => {
  await sandbox.close();
});

const textfilePath = (): string => join(sandbox.dir, 'kubectl_mesh.prom');

/** Runs what cron runs, and returns what it wrote. */
async function collect(code = 0): Promise<Scrape> {
  const ran = await cli.run(['certs', 'list', '--live', '-q', '-o', 'prometheus', '--output-file', textfilePath()]);
  expect([ran.code, ran.stdout]).toEqual([code, '']);
  return {text: readFileSync(textfilePath(), 'utf8'), labels: {instance: 'admin:9100'}, at: new Date()};
}

async function istiod(cluster: Cluster): Promise<PlayedPod> {
  return eventually(`istiod of ${cluster.name}`, () => cluster.kubelet?.pods.find(({ready}) => ready));
}

async function scrape(cluster: Cluster): Promise<Scrape> {
  const pod = await istiod(cluster);
  const text = await fetchText(pod.ports[15014], '/metrics');
  return {text, at: new Date(), labels: {cluster: cluster.name, instance: pod.name}};
}

async function look(): Promise<Seen> {
  const [one, two] = await Promise.all(clusters.map(scrape));
  if (!one || !two) throw new Error('two clusters were scraped');
  return {one, two, textfile: await collect()};
}

const all = ({one, two, textfile}: Seen): readonly Scrape[] => [one, two, textfile];

/** promtool's own words are the failure message. */
async function expectFiring(...tests: Expectation[]): Promise<void> {
  const ran = await testRules(sandbox.dir, ruleFile, tests);
  expect(ran.stdout + ran.stderr).toContain('SUCCESS');
  expect(ran.code).toBe(0);
}

describe('what is written', () => {
  it('passes promtool check metrics, is readable for a collector, and knows what runs', async () => {
    const ran = await checkMetrics(textfilePath());
    expect([ran.code, ran.stdout, ran.stderr]).toEqual([0, '', '']);
    expect(statSync(textfilePath()).mode & 0o777).toBe(0o644);
    const {text} = healthy.textfile;
    for (const cluster of ['c1', 'c2']) {
      for (const source of ['workdir', 'live'])
        expect(text).toContain(`root_agrees{cluster="${cluster}",source="${source}"} 1`);
      // What we saw on the wire ends when istiod's own metric says.
      const own = /^citadel_server_cert_chain_expiry_timestamp (\S+)$/m.exec(
        healthy[cluster === 'c1' ? 'one' : 'two'].text,
      )?.[1];
      const ours = new RegExp(
        `not_after_timestamp_seconds\\{cluster="${cluster}",source="live",role="cluster_CA"[^}]*\\} (\\d+)`,
      );
      expect(ours.exec(text)?.[1]).toBe(String(Number(own)));
    }
  });

  it('passes promtool check rules in both forms', async () => {
    const file = await checkRules(ruleFile);
    expect([file.code, file.stderr]).toEqual([0, '']);
    const object = parse(
      await cli.must('monitor', 'rules', '--namespace', 'monitoring', '--labels', 'release=prometheus'),
    ) as {
      readonly kind: string;
      readonly spec: object;
    };
    expect(object).toMatchObject({
      kind: 'PrometheusRule',
      metadata: {namespace: 'monitoring', labels: {release: 'prometheus'}},
    });
    const spec = join(sandbox.dir, 'spec.yaml');
    writeFileSync(spec, stringify(object.spec));
    expect((await checkRules(spec)).code).toBe(0);
    expect(object.spec).toEqual(parse(readFileSync(ruleFile, 'utf8')));
  });
});

describe('alerts', () => {
  it('are silent on a healthy mesh, for three hours', async () => {
    const silent = {name: 'healthy', moments: [{minute: 0, scrapes: all(healthy)}], minute: 180, firing: []};
    await expectFiring(silent);
    // Control experiment: an alert that is expected and does not fire is seen.
    const wrong = await testRules(sandbox.dir, ruleFile, [{...silent, firing: [{alertname: 'MeshRootDisagrees'}]}]);
    expect(wrong.code).not.toBe(0);
  });

  it('fire for the cluster whose CA is about to end, and for no other', async () => {
    const mesh = join(cli.workDir, 'mesh.yaml');
    const before = readFileSync(mesh, 'utf8');
    const declared = parse(before) as {trust?: object};
    // Below the 7 days of an error, for good.
    writeFileSync(mesh, stringify({...declared, trust: {...declared.trust, clusterValidity: '5d'}}));
    await cli.must('certs', 'generate', 'c2', '--renew', '--yes');
    await cli.must('trust', 'push', 'c2', '--yes');
    writeFileSync(mesh, before);
    const expiring = await look();
    expect((await cli.shell(`bash ${job} 3d`)).code).toBe(0);
    expect((await cli.shell(`bash ${job}`)).code).toBe(3);
    const ran = await cli.run(['certs', 'list', '--live', '--within', '30d', '--fail-on', 'warning', '-o', 'json']);
    expect(ran.code).toBe(3);
    expect(JSON.parse(ran.stdout)).toMatchObject({
      clusters: [{certificates: []}, {certificates: [{role: 'cluster CA', state: 'error'}]}],
      forecast: [
        {cluster: 'c2', due: true, renew: {role: 'cluster CA'}},
        {cluster: 'c1', due: false},
      ],
    });
    await expectFiring({
      name: 'about to end',
      moments: [
        {minute: 0, scrapes: all(healthy)},
        {minute: 60, scrapes: all(expiring)},
      ],
      minute: 180,
      firing: [
        {alertname: 'MeshCertificateExpiresVerySoon', cluster: 'c2', role: 'cluster_CA'},
        {alertname: 'IstiodCaExpiresVerySoon', cluster: 'c2'},
      ],
    });
  });

  it('fire when istiod cannot sign, and when it cannot read a peer', async () => {
    const [one, two] = clusters;
    const pod = await istiod(one);
    const token = await one.api.token('default', 'default', ['istio-ca']);
    for (let sent = 0; sent < 3; sent++) {
      expect(await requestCertificate(pod, {csr: 'no request', token, clusterId: 'c1'})).not.toBe(0);
    }
    // A port that nobody listens on.
    const remote = await two.istioctl(
      'create-remote-secret',
      '--name',
      'c2',
      '-n',
      'istio-system',
      '--server',
      'https://127.0.0.1:1',
    );
    expect((await cli.shell('kubectl --context kwok-c1 apply -f - <<<"$TEXT"', {TEXT: remote})).code).toBe(0);
    const broken = await eventually('istiod to say that it does not read c2', async () => {
      const seen = await scrape(one);
      return /istiod_remote_cluster_sync_status\{[^}]*status="(?:syncing|timeout)"[^}]*\} 1/.test(seen.text)
        ? seen
        : undefined;
    });
    await expectFiring({
      name: 'cannot sign, cannot read',
      moments: [
        {minute: 0, scrapes: all(healthy)},
        {minute: 60, scrapes: [broken, healthy.two, healthy.textfile]},
      ],
      minute: 72,
      firing: [
        {alertname: 'IstiodSigningFails', cluster: 'c1', error: 'CSR_ERROR'},
        {alertname: 'IstiodIssuesNothing', cluster: 'c1'},
        {
          alertname: 'IstiodRemoteClusterNotSynced',
          cluster: 'c1',
          exported_cluster: 'c2',
          status: /status="(\w+)"[^}]*\} 1/.exec(broken.text)?.[1] ?? '',
        },
      ],
    });
  });

  it('fire when a cluster is gone, and when nobody looks any more; the file is whole all the same', async () => {
    await clusters[1].stop();
    const blind = await collect(4);
    expect((await checkMetrics(textfilePath())).code).toBe(0);
    expect(blind.text).toContain('cluster_reachable{cluster="c2"} 0');
    expect(blind.text).toContain('cluster_reachable{cluster="c1"} 1');
    const stale = {...healthy.textfile, at: new Date(Date.now() + 30 * 3_600_000)};
    await expectFiring(
      {
        name: 'one is gone',
        moments: [{minute: 0, scrapes: [healthy.one, healthy.two, {...blind, text: withoutExpiring(blind.text)}]}],
        minute: 150,
        firing: [{alertname: 'MeshClusterUnreachable', cluster: 'c2'}],
      },
      {
        name: 'nobody looks',
        moments: [{minute: 0, scrapes: [healthy.one, healthy.two, stale]}],
        minute: 60,
        firing: [{alertname: 'MeshMetricsStale'}],
      },
      {
        name: 'nothing was ever written',
        moments: [{minute: 0, scrapes: [healthy.one, healthy.two]}],
        minute: 60,
        firing: [{alertname: 'MeshMetricsAbsent'}],
      },
    );
  });
});

/** A scrape in which the samples of a family that match have another value; NaN takes them out. */
function changed(scrape: Scrape, family: string, value: (before: number) => number, which = /./): Scrape {
  let count = 0;
  const lines = scrape.text.split('\n').flatMap((line) => {
    const [, name, before] = /^([a-z_]+)(?:\{.*\})? (\S+)$/.exec(line) ?? [];
    if (name !== family || before === undefined || !which.test(line)) return [line];
    count++;
    const after = value(Number(before));
    return Number.isNaN(after) ? [] : [`${line.slice(0, line.lastIndexOf(' '))} ${String(after)}`];
  });
  if (count === 0) throw new Error(`no ${family} ${String(which)} in what was scraped`);
  return {...scrape, text: lines.join('\n')};
}

/** A scrape with more samples. */
function plus(scrape: Scrape, ...lines: readonly string[]): Scrape {
  return {...scrape, text: `${scrape.text}\n${lines.join('\n')}\n`};
}

/** What each other alert needs, made by changing single values of what was really scraped. */
describe('every other alert fires for what it is about, and nothing else does', () => {
  const day = 86_400;
  const now = (): number => Math.floor(Date.now() / 1000);
  const notAfter = 'kubectl_mesh_certificate_not_after_timestamp_seconds';
  const [caEnd, rootEnd] = ['citadel_server_cert_chain_expiry_timestamp', 'citadel_server_root_cert_expiry_timestamp'];
  const caOfOne = /cluster="c1".*role="cluster_CA"/;
  /** The cluster CA was issued this many days ago, and has this many days left. */
  const withLifetime = (textfile: Scrape, past: number, left: number): Scrape =>
    changed(
      changed(textfile, notAfter, () => now() + left * day, caOfOne),
      notAfter.replace('after', 'before'),
      () => now() - past * day,
      caOfOne,
    );
  const [requests, refused, given] = [
    'citadel_server_csr_count',
    'citadel_server_authentication_failure_count',
    'citadel_server_success_cert_issuance_count',
  ];
  const cases: readonly (readonly [
    alert: string,
    change: (seen: Seen) => Partial<Seen>,
    firing: Readonly<Record<string, string>> | undefined,
  ])[] = [
    [
      'MeshCertificateExpiresSoon',
      ({textfile}) => ({textfile: changed(textfile, notAfter, () => now() + 20 * day, caOfOne)}),
      {cluster: 'c1', role: 'cluster_CA'},
    ],
    [
      // 30 % of 400 days are 120: by the share, not by the days.
      'MeshCertificateExpiresSoon',
      ({textfile}) => ({textfile: withLifetime(textfile, 300, 100)}),
      {cluster: 'c1', role: 'cluster_CA'},
    ],
    [
      // 30 % of 730 days are 219, but never more than 180.
      'nothing: the share of a long lifetime is limited in days',
      ({textfile}) => ({textfile: withLifetime(textfile, 530, 200)}),
      undefined,
    ],
    [
      'MeshCertificateExpired',
      ({textfile}) => ({textfile: changed(textfile, notAfter, () => now() - day, caOfOne)}),
      {cluster: 'c1', role: 'cluster_CA'},
    ],
    [
      // It is the root of all clusters: one alert.
      'MeshCertificateExpired',
      ({textfile}) => ({textfile: changed(textfile, notAfter, () => now() - day, /role="root"/)}),
      {role: 'root'},
    ],
    [
      'MeshCertificateNotYetValid',
      ({textfile}) => ({
        textfile: changed(textfile, notAfter.replace('after', 'before'), () => now() + day, caOfOne),
      }),
      {cluster: 'c1', role: 'cluster_CA'},
    ],
    [
      'nothing: what is not in use may end',
      ({textfile}) => {
        const unused = changed(textfile, 'kubectl_mesh_certificate_in_use', () => 0, caOfOne);
        return {textfile: changed(unused, notAfter, () => now() - day, caOfOne)};
      },
      undefined,
    ],
    [
      'MeshRootDisagrees',
      ({textfile}) => ({
        textfile: changed(textfile, 'kubectl_mesh_root_agrees', () => 0, /cluster="c2",source="live"/),
      }),
      {cluster: 'c2'},
    ],
    [
      'MeshSourceUnreadable',
      ({textfile}) => ({
        textfile: changed(textfile, 'kubectl_mesh_source_readable', () => 0, /cluster="c2",source="live"/),
      }),
      {cluster: 'c2', source: 'live'},
    ],
    ['IstiodCaExpiresSoon', ({two}) => ({two: changed(two, caEnd, () => now() + 20 * day)}), {cluster: 'c2'}],
    ['nothing: 0 is no end', ({two}) => ({two: changed(two, caEnd, () => 0)}), undefined],
    ['IstiodRootsDiffer', ({two}) => ({two: changed(two, rootEnd, (end) => end - day)}), {}],
    [
      'IstiodRefusesCallers',
      ({one}) => ({one: plus(one, `${requests} 100`, `${refused} 60`, `${given} 40`)}),
      {cluster: 'c1'},
    ],
    [
      'nothing: every port gets unknown callers',
      ({one}) => ({one: plus(one, `${requests} 100`, `${refused} 5`, `${given} 95`)}),
      undefined,
    ],
    [
      'IstiodRemoteClusterLost',
      ({one}) => ({one: changed(one, 'istiod_managed_clusters', () => -1, /remote/)}),
      {cluster: 'c1'},
    ],
  ];

  it.each(cases)('%s', async (alert, change, labels) => {
    const after = {...healthy, ...change(healthy)};
    const isCounted = alert.startsWith('IstiodRefuses') || alert.includes('unknown callers') || alert.endsWith('Lost');
    const minute = isCounted ? 72 : 240;
    await expectFiring({
      name: alert,
      moments: [
        {minute: 0, scrapes: all(healthy)},
        {minute: 60, scrapes: all(after)},
      ],
      minute,
      firing: labels ? [{alertname: alert, ...labels}] : [],
    });
  });

  it('IstiodRootExpiresSoon and VerySoon, once for each cluster', async () => {
    const withRoot = (days: number): Seen => ({
      ...healthy,
      one: changed(healthy.one, rootEnd, () => now() + days * day),
      two: changed(healthy.two, rootEnd, () => now() + days * day),
    });
    const at = (days: number, alertname: string): Expectation => ({
      name: `a root of ${String(days)} days`,
      moments: [{minute: 0, scrapes: all(withRoot(days))}],
      minute: 120,
      firing: ['c1', 'c2'].map((cluster) => ({alertname, cluster})),
    });
    await expectFiring(at(20, 'IstiodRootExpiresSoon'), at(3, 'IstiodRootExpiresVerySoon'));
  });

  it('none of the counting ones after a gap in scraping: what was counted before is not new', async () => {
    const counted = (requests: string, refused: string): Scrape =>
      plus(healthy.one, `${requests} 500`, `${refused} 400`, 'citadel_server_csr_sign_err_count{error="CSR_ERROR"} 7');
    const before = counted(requests, refused);
    await expectFiring({
      name: 'a gap',
      moments: [
        {minute: 0, scrapes: [before, healthy.two, healthy.textfile]},
        {minute: 60, scrapes: [healthy.two, healthy.textfile]},
        {minute: 100, scrapes: [before, healthy.two, healthy.textfile]},
      ],
      minute: 112,
      firing: [],
    });
  });

  it('IstiodRemoteClusterTimesOut, before 1.30', async () => {
    const older = join(sandbox.dir, 'rules-1.29.yaml');
    await cli.must('monitor', 'rules', '--format', 'rule-file', '--istio-version', '1.29', '--output-file', older);
    const late = plus(healthy.one, 'remote_cluster_sync_timeouts_total{cluster="c2"} 1');
    const ran = await testRules(sandbox.dir, older, [
      {
        name: 'late',
        moments: [
          {minute: 0, scrapes: all(healthy)},
          {minute: 120, scrapes: all({...healthy, one: late})},
        ],
        minute: 130,
        firing: [{alertname: 'IstiodRemoteClusterTimesOut', cluster: 'c1', exported_cluster: 'c2'}],
      },
    ]);
    expect([ran.code, ran.stderr]).toEqual([0, '']);
  });

  it('IstiodMetricsAbsent, where no istiod is scraped', async () => {
    await expectFiring({
      name: 'absent',
      moments: [{minute: 0, scrapes: [healthy.textfile]}],
      minute: 60,
      firing: [{alertname: 'IstiodMetricsAbsent'}],
    });
  });
});

/** The short CA of another test is not what this one is about. */
function withoutExpiring(text: string): string {
  return text
    .split('\n')
    .filter((line) => !/^kubectl_mesh_certificate_.*cluster="c2"/.test(line))
    .join('\n');
}
