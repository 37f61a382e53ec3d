/** What is done with each Istio release, on real API servers: install, verify, apply again, upgrade. */
import {appendFileSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {kubernetesFit} from '../../src/domain/istio/kubernetes.js';
import {hasReached} from '../../src/domain/istio/since.js';
import {minorsApart} from '../../src/domain/istio/version.js';
import {builtVersions, type ControlPlanes} from '../../test/e2e/harness/control-planes.js';
import {withReleases, type IstioRelease} from '../../test/e2e/harness/istio-releases.js';
import {meet} from '../../test/e2e/harness/meet.js';
import {at, startSettingOf, type Setting} from '../../test/e2e/harness/mesh.js';
import {fetchText} from '../../test/e2e/harness/port-forward.js';
import {HarnessError, eventually} from '../../test/e2e/harness/processes.js';

/** The result of one step with one release. */
export interface StepResult {
  readonly version: string;
  readonly step: string;
  readonly result: 'passed' | 'failed' | 'skipped';
  readonly seconds: number;
  /** What passed, or why it failed or was skipped. */
  readonly note: string;
}

type Report = (result: StepResult) => void;

/** Something to do; returns what is worth a note. */
interface Step {
  readonly step: string;
  readonly action: () => Promise<string>;
}

/** A mesh with a release, and whether all its steps passed. */
interface Mesh {
  readonly release: IstioRelease;
  readonly setting: Setting;
  readonly passed: boolean;
}

/** Tests the releases, the oldest first; each is installed in new clusters, and in those of the one before it. */
export async function testReleases(
  planes: ControlPlanes,
  releases: readonly IstioRelease[],
  report: Report,
): Promise<void> {
  let previous: Mesh | undefined;
  try {
    for (const release of releases) {
      const why = notOnThisKubernetes(release);
      if (why !== undefined) {
        report(skipped(release, 'install', why));
        continue;
      }
      const next = await install(withReleases(planes, release, releases), release, report);
      try {
        await upgrade(previous, release, report);
      } finally {
        await previous?.setting.sandbox.close();
        previous = next;
      }
    }
  } finally {
    await previous?.setting.sandbox.close();
  }
}

function skipped({version}: IstioRelease, step: string, note: string): StepResult {
  return {version, step, result: 'skipped', seconds: 0, note};
}

function notOnThisKubernetes({parsed}: IstioRelease): string | undefined {
  const minor = Number(builtVersions.kubernetes.split('.')[1]);
  const fit = kubernetesFit(parsed, minor);
  if (fit.fit === 'fits') return undefined;
  const limit = fit.fit === 'too new' ? `1.${String(fit.last.minor)} at most` : `1.${String(fit.min)} or later`;
  return `requires Kubernetes ${limit}, this is ${builtVersions.kubernetes}`;
}

async function install(planes: ControlPlanes, release: IstioRelease, report: Report): Promise<Mesh> {
  const setting = await startSettingOf(planes, {name: 'one'}, {name: 'two'});
  const {cli, clusters} = setting;
  const passed = await inTurn(setting, release, report, [
    {
      step: 'install',
      action: async () => {
        await cli.must('init', ...clusters.map(({name, context}) => `${name}=${context}`));
        // Nothing is pulled here, so that no hub is right or wrong: the mesh has one that no finding is about.
        appendFileSync(
          join(cli.workDir, 'mesh.yaml'),
          `trust: {keyAlgorithm: ecdsa-p256}\nistio:\n  version: ${JSON.stringify(release.version)}\n  hub: docker.io/istio\n`,
        );
        await cli.must('certs', 'generate');
        await cli.must('trust', 'push');
        await cli.must('install', 'render');
        const changes = await apply(setting, []);
        expectEach(changes, 'install');
        await exchangeSecrets(setting, release);
        return expectRunning(setting, release);
      },
    },
    {step: 'verify', action: () => verify(setting)},
    {step: 'apply again', action: () => applyAgain(setting)},
    {
      step: 'mutual TLS',
      action: async () => {
        const {there, back} = await meet(at(clusters, 0), at(clusters, 1));
        const refused = [there, back].flatMap((handshake) => (handshake.ok ? [] : [handshake.reason]));
        if (refused.length > 0) throw new HarnessError(`a handshake failed: ${refused.join(', ')}`);
        return 'workloads of both clusters accept each other';
      },
    },
  ]);
  return {release, setting, passed};
}

async function upgrade(previous: Mesh | undefined, release: IstioRelease, report: Report): Promise<void> {
  const why = notUpgradable(previous, release);
  if (previous === undefined || why !== undefined) {
    report(skipped(release, 'upgrade', why ?? ''));
    return;
  }
  const {setting, release: before} = previous;
  const {cli} = setting;
  await inTurn(setting, release, report, [
    {
      step: 'upgrade',
      action: async () => {
        cli.useIstioctl(join(release.directory, 'istioctl'));
        const file = join(cli.workDir, 'mesh.yaml');
        writeFileSync(
          file,
          readFileSync(file, 'utf8').replace(
            `version: ${JSON.stringify(before.version)}`,
            `version: ${JSON.stringify(release.version)}`,
          ),
        );
        await cli.must('install', 'render');
        const refused = await cli.run(['install', 'apply', '--yes']);
        if (refused.code !== 5) throw new HarnessError(`without --upgrade: exit ${String(refused.code)}, expected 5`);
        expectEach(await apply(setting, ['--upgrade']), 'upgrade');
        return `from ${before.version}; ${await expectRunning(setting, release)}`;
      },
    },
    {step: 'verify after the upgrade', action: () => verify(setting)},
    {step: 'apply again after the upgrade', action: () => applyAgain(setting)},
  ]);
}

function notUpgradable(previous: Mesh | undefined, release: IstioRelease): string | undefined {
  if (previous === undefined) return 'no release before it was installed';
  const {version, parsed} = previous.release;
  if (minorsApart(parsed, release.parsed) > 1) return `${version} is more than one minor version apart`;
  return previous.passed ? undefined : `the mesh with ${version} did not pass`;
}

/** Runs steps until one fails; the rest are skipped. Whether all passed. */
async function inTurn(
  {sandbox}: Setting,
  release: IstioRelease,
  report: Report,
  steps: readonly Step[],
): Promise<boolean> {
  let failed: string | undefined;
  for (const {step, action} of steps) {
    if (failed !== undefined) {
      report(skipped(release, step, `${failed} failed`));
      continue;
    }
    const began = Date.now();
    const seconds = (): number => Math.round((Date.now() - began) / 1000);
    try {
      const note = await action();
      report({version: release.version, step, result: 'passed', seconds: seconds(), note});
    } catch (error) {
      failed = step;
      const reason = error instanceof HarnessError ? error.message : String(error);
      const note = `${reason}\n${sandbox.logTails(5)}`;
      report({version: release.version, step, result: 'failed', seconds: seconds(), note});
    }
  }
  return failed === undefined;
}

interface Applied {
  readonly clusters: readonly {readonly name: string; readonly outcome: string; readonly change?: string}[];
}

/** `install apply`, which must succeed: what it did, by cluster. */
async function apply({cli}: Setting, flags: readonly string[]): Promise<Applied['clusters']> {
  return (
    JSON.parse(
      await cli.must('install', 'apply', '--yes', '--readiness-timeout', '2m', ...flags, '-o', 'json'),
    ) as Applied
  ).clusters;
}

function expectEach(clusters: Applied['clusters'], change: string): void {
  const others = clusters.filter((cluster) => cluster.change !== change);
  if (clusters.length === 0 || others.length > 0) {
    throw new HarnessError(`expected ${change} in each cluster: ${JSON.stringify(clusters)}`);
  }
}

async function applyAgain(setting: Setting): Promise<string> {
  const clusters = await apply(setting, []);
  expectEach(clusters, 'unchanged');
  return `unchanged in ${String(clusters.length)} clusters`;
}

/** No error, no unknown and no warning: there is nothing wrong with the mesh. */
async function verify({cli}: Setting): Promise<string> {
  await cli.verify('--access', '--wait', '--timeout', '150s');
  const {checks} = await cli.verify('--access');
  const alarms = checks.filter(({result}) => result !== 'ok' && result !== 'skipped');
  const ok = checks.filter(({result}) => result === 'ok').length;
  if (ok === 0 || alarms.length > 0) {
    const lines = alarms.map(
      ({id, cluster, result, reason, observed}) => `${id} ${cluster ?? ''} ${result}: ${reason ?? observed ?? ''}`,
    );
    throw new HarnessError(`verify reports:\n${lines.join('\n')}`);
  }
  return `${String(ok)} results ok, ${String(checks.length - ok)} skipped`;
}

/** `create-remote-secret` is a command of its own since 1.12 (1.12.9:istioctl/cmd/root.go). */
async function exchangeSecrets({cli, clusters}: Setting, {parsed}: IstioRelease): Promise<void> {
  const command = hasReached(parsed, '1.12') ? 'create-remote-secret' : 'x create-remote-secret';
  for (const {context} of clusters) {
    for (const peer of clusters.filter((other) => other.context !== context)) {
      const create = `istioctl --context ${peer.context} ${command} --name ${peer.name} -n istio-system`;
      const made = await cli.shell(`set -o pipefail; ${create} | kubectl --context ${context} apply -f -`);
      if (made.code !== 0) throw new HarnessError(`${create} failed:\n${made.stdout}${made.stderr}`);
    }
  }
}

/** Every istiod is a process of this release: istioctl installed its image, and the process reports it. */
async function expectRunning({clusters}: Setting, {version}: IstioRelease): Promise<string> {
  for (const {name, kubelet} of clusters) {
    await eventually(`istiod ${version} in ${name}, and no other`, async () => {
      const reported = await Promise.all((kubelet?.pods ?? []).map(({ports}) => fetchText(ports[15014], '/version')));
      return (reported.length > 0 && reported.every((text) => text.startsWith(`${version}-`))) || undefined;
    });
  }
  return `istiod ${version} runs in ${String(clusters.length)} clusters`;
}
