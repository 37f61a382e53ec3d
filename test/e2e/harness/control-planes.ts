/**
 * The programs of real control planes (Kubernetes, etcd, kwok, Istio), built once from the go.mod files beside
 * this folder and kept outside the checkout. `npm run control-planes` builds and does nothing else.
 *
 * A module's programs are built under a temporary name and renamed when all are there, so a killed build leaves nothing
 * that looks finished and two builds at once do not disturb each other.
 */
import {createHash} from 'node:crypto';
import {copyFileSync, existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync} from 'node:fs';
import {homedir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {HarnessError, output, run} from './processes.js';

const modulesDirectory = fileURLToPath(new URL('../control-planes/', import.meta.url));

/** The versions that the programs report. Without them Kubernetes reports v0.0.0, which istioctl does not parse, and Istio "unknown". */
export const builtVersions = {
  kubernetes: '1.34.3',
  istio: '1.31.0',
  /** What the same Istio reports where a test needs two versions, one minor version apart. */
  earlierIstio: '1.30.4',
} as const;
/** As mesh.yaml declares it. */
export const builtMinor = builtVersions.istio.replace(/\.\d+$/, '');
const kubernetesVersion = {gitVersion: `v${builtVersions.kubernetes}`, gitMajor: '1', gitMinor: '34'};

/** The programs of an Istio release, by the name of their file. */
export type IstioProgram = 'istioctl' | 'pilot-discovery' | 'pilot-agent';

/** The programs of a control plane, by the name of their file. */
export type Program =
  | 'etcd'
  | 'kube-apiserver'
  | 'kube-controller-manager'
  | 'kube-scheduler'
  | 'agnhost'
  | 'kwok'
  | 'kwokctl'
  | IstioProgram
  | 'ca-loader';

/** One go.mod and what is built from it. The projects disagree about common dependencies, hence one module each. */
interface Module {
  /** Folder below test/e2e/control-planes. */
  readonly name: string;
  /** Program and Go package. */
  readonly programs: readonly (readonly [Program, string])[];
  /** Go files of our own in the folder, which decide the program's bytes as well. */
  readonly sources?: readonly string[];
  /** `-X` settings of the linker. */
  readonly stamps: Readonly<Record<string, string>>;
  /** Files of a dependency that the harness reads at run time: copied beside the programs. */
  readonly files?: {readonly from: string; readonly paths: readonly string[]};
}

/** Istio, built to report a version. */
function istioModule(version: string, ...programs: readonly IstioProgram[]): Module {
  return {
    name: 'istio',
    programs: programs.map((program) => [program, istioPackages[program]] as const),
    stamps: prefixed('istio.io/istio/pkg/version.', {buildVersion: version, buildTag: version, buildHub: 'istio'}),
  };
}

const istioPackages: Readonly<Record<IstioProgram, string>> = {
  istioctl: 'istio.io/istio/istioctl/cmd/istioctl',
  'pilot-discovery': 'istio.io/istio/pilot/cmd/pilot-discovery',
  'pilot-agent': 'istio.io/istio/pilot/cmd/pilot-agent',
};

const modules: readonly Module[] = [
  {name: 'etcd', programs: [['etcd', 'go.etcd.io/etcd/server/v3']], stamps: {}},
  {
    name: 'kwok',
    programs: [
      ['kwok', 'sigs.k8s.io/kwok/cmd/kwok'],
      ['kwokctl', 'sigs.k8s.io/kwok/cmd/kwokctl'],
    ],
    stamps: {},
    files: {
      from: 'sigs.k8s.io/kwok',
      paths: [
        'kustomize/stage/node/fast/node-initialize.yaml',
        'kustomize/stage/node/heartbeat-with-lease/node-heartbeat-with-lease.yaml',
        'kustomize/stage/pod/fast/pod-ready.yaml',
        'kustomize/stage/pod/fast/pod-complete.yaml',
        'kustomize/stage/pod/fast/pod-delete.yaml',
      ],
    },
  },
  {
    name: 'kubernetes',
    programs: [
      ['kube-apiserver', 'k8s.io/kubernetes/cmd/kube-apiserver'],
      ['kube-controller-manager', 'k8s.io/kubernetes/cmd/kube-controller-manager'],
      ['kube-scheduler', 'k8s.io/kubernetes/cmd/kube-scheduler'],
      // What Kubernetes' own end-to-end tests run in pods.
      ['agnhost', 'k8s.io/kubernetes/test/images/agnhost'],
    ],
    stamps: prefixed('k8s.io/component-base/version.', kubernetesVersion),
  },
  istioModule(builtVersions.istio, 'istioctl', 'pilot-discovery', 'pilot-agent'),
  {
    name: 'ca-loader',
    programs: [['ca-loader', '.']],
    stamps: {},
    sources: ['main.go', 'istiod.go', 'agent.go', 'diagnose.go'],
  },
];

/** Where the built programs are. */
export interface ControlPlanes {
  /** The folder outside the checkout that holds them. */
  readonly cache: string;
  /** The folder with the go.mod of their Istio. */
  readonly istioModule: string;
  /** Absolute path of a program. */
  path(program: Program): string;
  /** The program that a container with this image of istiod runs; undefined: the image cannot be pulled. */
  istiod(image: string): string | undefined;
  /** kwok's own stages (how a fake node or pod gets its status), as YAML texts. */
  readonly stages: readonly string[];
}

/**
 * Builds what the cache lacks, and says so on standard error; the first time takes 10 to 15 minutes on two cores, after
 * that nothing. `only` limits that to the modules of these programs. Throws {@link HarnessError} in one line when Go is
 * absent or too old, or a build fails.
 */
export async function controlPlanes(only?: readonly Program[]): Promise<ControlPlanes> {
  const cache = cacheDirectory();
  await buildMissing(
    modules.filter((module) => isWanted(module, only)),
    cache,
  );
  const directories = new Map(
    modules.flatMap((module) => module.programs.map(([program]) => [program, join(cache, cacheName(module))] as const)),
  );
  const kwok = directories.get('kwok') ?? cache;
  const path = (program: Program): string => join(directories.get(program) ?? cache, program);
  return {
    cache,
    istioModule: join(modulesDirectory, 'istio'),
    path,
    // There is one istiod, whatever the tag says.
    istiod: () => path('pilot-discovery'),
    stages: existsSync(kwok)
      ? readdirSync(kwok)
          .filter((name) => name.endsWith('.yaml'))
          .map((name) => readFileSync(join(kwok, name), 'utf8'))
      : [],
  };
}

/**
 * Builds istioctl and istiod from the same source as {@link controlPlanes}, to report another version, and returns their
 * directory. It takes about a minute once those are built, and nothing when it was done before.
 */
export async function stampedIstio(version: string): Promise<string> {
  const cache = cacheDirectory();
  const module = istioModule(version, 'istioctl', 'pilot-discovery');
  await buildMissing([module], cache);
  return join(cache, cacheName(module));
}

async function buildMissing(wanted: readonly Module[], cache: string): Promise<void> {
  const missing = wanted.filter((module) => !existsSync(join(cache, cacheName(module))));
  if (missing.length === 0) return;
  await requireGo();
  mkdirSync(cache, {recursive: true});
  sweep(cache);
  say(
    `building ${missing.map((module) => module.name).join(', ')} into ${cache}; the first time takes 10 to 15 minutes`,
  );
  for (const module of missing) await build(module, cache);
}

function isWanted({programs}: Module, only: readonly Program[] | undefined): boolean {
  return only === undefined || programs.some(([program]) => only.includes(program));
}

/** Builds one module's programs beside their final place, then moves them there in one step. */
async function build(module: Module, cache: string): Promise<void> {
  const directory = join(modulesDirectory, module.name);
  const target = join(cache, cacheName(module));
  const temporary = `${target}.tmp-${String(process.pid)}`;
  mkdirSync(temporary);
  try {
    for (const [program, pkg] of module.programs) {
      const started = Date.now();
      say(`building ${program} …`);
      const args = ['build', ...buildFlags(module), '-o', join(temporary, program), pkg];
      const built = await run('go', args, {cwd: directory, env: {...process.env, ...goEnvironment}});
      if (built.code !== 0) throw new HarnessError(`go build ${pkg} failed:\n${built.stderr.slice(-4000)}`);
      say(`built ${program} in ${String(Math.round((Date.now() - started) / 1000))} s`);
    }
    if (module.files !== undefined) {
      const source = await output('go', ['list', '-m', '-f', '{{.Dir}}', module.files.from], {cwd: directory});
      for (const path of module.files.paths)
        copyFileSync(join(source, path), join(temporary, path.replaceAll('/', '-')));
    }
    try {
      renameSync(temporary, target);
    } catch (error) {
      // Another build of the same was faster; its result is as good as ours.
      if (!existsSync(target)) throw error;
    }
  } finally {
    rmSync(temporary, {recursive: true, force: true});
  }
}

const goEnvironment = {CGO_ENABLED: '0', GOTOOLCHAIN: 'local', GOFLAGS: '-mod=readonly'};

function buildFlags(module: Module): string[] {
  const stamps = Object.entries(module.stamps).map(([name, value]) => `-X ${name}=${value}`);
  return ['-trimpath', '-buildvcs=false', '-ldflags', ['-s', '-w', ...stamps].join(' ')];
}

/** The folder of a module's programs in the cache: whatever decides their bytes is in its name. */
function cacheName(module: Module): string {
  const hash = createHash('sha256');
  for (const file of ['go.mod', 'go.sum', ...(module.sources ?? [])])
    hash.update(readFileSync(join(modulesDirectory, module.name, file)));
  hash.update(JSON.stringify([module, buildFlags(module), goEnvironment, process.platform, process.arch]));
  return `${module.name}-${hash.digest('hex').slice(0, 16)}`;
}

function cacheDirectory(): string {
  const base = process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache');
  return join(base, 'kubectl-mesh', 'control-planes');
}

/** Removes what builds left that were killed: their process is gone. */
function sweep(cache: string): void {
  for (const name of readdirSync(cache)) {
    const pid = /\.tmp-(\d+)$/.exec(name)?.[1];
    if (pid !== undefined && !alive(Number(pid))) rmSync(join(cache, name), {recursive: true, force: true});
  }
}

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** The newest `go` line of the modules is the least Go that builds them all. */
async function requireGo(): Promise<void> {
  const needed = modules
    .map(
      (module) => /^go (\S+)$/m.exec(readFileSync(join(modulesDirectory, module.name, 'go.mod'), 'utf8'))?.[1] ?? '0',
    )
    .reduce((a, b) => (olderThan(a, b) ? b : a));
  const purpose = `real control planes are built with Go ${needed} or later`;
  let version: string;
  try {
    version = await output('go', ['env', 'GOVERSION'], {
      env: {...process.env, GOTOOLCHAIN: 'local'},
      cwd: modulesDirectory,
    });
  } catch (error) {
    throw new HarnessError(`${purpose}: "go" does not run here`, {cause: error});
  }
  if (olderThan(version.replace(/^go/, ''), needed)) throw new HarnessError(`${purpose}: this is ${version}`);
}

/** Compares dotted versions by number; what is not a number counts as 0. */
function olderThan(a: string, b: string): boolean {
  const [left, right] = [a, b].map((text) => text.split(/[.\-+ ]/).map((part) => Number.parseInt(part, 10) || 0));
  for (let i = 0; i < 3; i++) {
    const difference = (left?.[i] ?? 0) - (right?.[i] ?? 0);
    if (difference !== 0) return difference < 0;
  }
  return false;
}

function prefixed(prefix: string, values: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [prefix + name, value]));
}

/** Progress, on standard error. */
function say(text: string): void {
  process.stderr.write(`control planes: ${text}\n`);
}
