/**
 * Istio releases, with a folder for each: istioctl, pilot-discovery (istiod) and, optionally, pilot-agent. Their versions come
 * from the programs themselves, not from the names of the folders.
 */
import {closeSync, existsSync, openSync, readSync, readdirSync, statSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {parseAllDocuments} from 'yaml';
import {istiodTag} from '../../../src/domain/istio/image.js';
import {compareVersions, parseVersion, type IstioVersion} from '../../../src/domain/istio/version.js';
import {builtVersions, controlPlanes, stampedIstio, type ControlPlanes, type IstioProgram} from './control-planes.js';
import {addressArguments} from './istiod.js';
import {HarnessError, run, type Ran} from './processes.js';

/** A release. */
export interface IstioRelease {
  /** As istioctl and istiod report it. */
  readonly version: string;
  readonly parsed: IstioVersion;
  readonly directory: string;
  /** The tag of the image that its istioctl installs as istiod. */
  readonly tag: string;
}

/** Reads a folder of releases, the oldest first. Throws {@link HarnessError} that names the file or folder at fault. */
export async function readReleases(folder: string): Promise<readonly IstioRelease[]> {
  if (!isDirectory(folder)) throw new HarnessError(`${folder} is not a directory`);
  const names = readdirSync(folder).filter((name) => !name.startsWith('.') && isDirectory(join(folder, name)));
  if (names.length === 0) {
    throw new HarnessError(
      `no Istio release in ${folder}: expected NAME/istioctl and NAME/pilot-discovery for each, for example 1.30.3/istioctl`,
    );
  }
  const releases: IstioRelease[] = [];
  for (const name of names) releases.push(await readRelease(join(folder, name)));
  return inOrder(releases);
}

/** The Istio that is built here, as two versions that are one minor version apart. */
export async function builtReleases(): Promise<readonly [older: IstioRelease, newer: IstioRelease]> {
  const older = await readRelease(await stampedIstio(builtVersions.earlierIstio));
  return [older, await readRelease(dirname((await controlPlanes()).path('istioctl')))];
}

/** Releases in ascending order; each must be there once, and install an image of its own. */
function inOrder(releases: readonly IstioRelease[]): readonly IstioRelease[] {
  for (const key of ['version', 'tag'] as const) {
    const first = new Map<string, IstioRelease>();
    for (const release of releases) {
      const other = first.get(release[key]);
      if (other)
        throw new HarnessError(`${other.directory} and ${release.directory} have the same ${key}: ${release[key]}`);
      first.set(release[key], release);
    }
  }
  return [...releases].sort((one, other) => compareVersions(one.parsed, other.parsed));
}

/** Reads one release, by running its programs. */
async function readRelease(directory: string): Promise<IstioRelease> {
  const programs = {istioctl: join(directory, 'istioctl'), istiod: join(directory, 'pilot-discovery')};
  for (const program of Object.values(programs)) {
    if (!existsSync(program)) throw new HarnessError(`${program} not found`);
  }
  const istioctl = await reportedVersion(programs.istioctl, '--remote=false');
  const istiod = await reportedVersion(programs.istiod);
  if (istioctl !== istiod) {
    throw new HarnessError(`${directory}: istioctl is ${istioctl}, but pilot-discovery is ${istiod}`);
  }
  const parsed = parseVersion(istioctl);
  if (!parsed) throw new HarnessError(`${programs.istioctl} reports version "${istioctl}", which is not a release`);
  // An istioctl that was copied to this name has no flags of istiod.
  await addressArguments(programs.istiod, {8080: 0, 15010: 0, 15012: 0, 15014: 0, 15017: 0, ctrlz: 0});
  return {version: istioctl, parsed, directory, tag: await installedTag(programs.istioctl)};
}

/** Control planes that run this release, and istiods of all these releases, by the tag of their image. */
export function withReleases(
  planes: ControlPlanes,
  current: IstioRelease,
  releases: readonly IstioRelease[],
): ControlPlanes {
  return {
    ...planes,
    path: (program) => {
      const own = join(current.directory, program);
      return istioPrograms.has(program) && existsSync(own) ? own : planes.path(program);
    },
    istiod: (image) => {
      const found = releases.find(({tag}) => tag === istiodTag([{image}]));
      return found && join(found.directory, 'pilot-discovery');
    },
  };
}

const istioPrograms: ReadonlySet<string> = new Set<IstioProgram>(['istioctl', 'pilot-discovery', 'pilot-agent']);

/** Of every program of Istio 1.6 and later (pkg/version/cobra.go). */
async function reportedVersion(program: string, ...more: readonly string[]): Promise<string> {
  const {stdout} = await runProgram(program, ['version', '-o', 'json', ...more]);
  try {
    const {clientVersion} = JSON.parse(stdout) as {clientVersion: {version: string}};
    return clientVersion.version;
  } catch (error) {
    throw new HarnessError(`${program} does not report a version as Istio's programs do:\n${stdout.slice(0, 500)}`, {
      cause: error,
    });
  }
}

interface Manifest {
  readonly kind?: string;
  readonly metadata?: {readonly name?: string};
  readonly spec?: {readonly template?: {readonly spec: {readonly containers: readonly {readonly image?: string}[]}}};
}

/** The tag that `istioctl manifest generate` gives istiod without a document. */
async function installedTag(istioctl: string): Promise<string> {
  const {stdout} = await runProgram(istioctl, ['manifest', 'generate']);
  const deployment = parseAllDocuments(stdout)
    .map((document) => document.toJS() as Manifest | null)
    .find((manifest) => manifest?.kind === 'Deployment' && manifest.metadata?.name === 'istiod');
  const tag = istiodTag(deployment?.spec?.template?.spec.containers ?? []);
  if (tag === '') throw new HarnessError(`${istioctl} manifest generate: no image with a tag in Deployment istiod`);
  return tag;
}

/** Runs a program that must succeed, with no cluster in reach. */
async function runProgram(program: string, args: readonly string[]): Promise<Ran> {
  const env = {...process.env, KUBECONFIG: '/dev/null'};
  const ran = await run(program, args, {env}).catch((error: unknown) => {
    throw new HarnessError(`cannot run ${program}: ${builtFor(program) ?? String(error)}`, {cause: error});
  });
  if (ran.code === 0) return ran;
  const why = builtFor(program) ?? `exit ${String(ran.code ?? ran.signal)}:\n${ran.stderr.slice(-500)}`;
  throw new HarnessError(`${program} ${args.join(' ')} failed: ${why}`);
}

/** Executable formats by their first four bytes, and where they name the machine. */
const formats: readonly {
  readonly magic: string;
  readonly platform: NodeJS.Platform;
  readonly machineAt: number;
  readonly machines: Readonly<Record<number, string>>;
}[] = [
  {magic: '7f454c46', platform: 'linux', machineAt: 18, machines: {0x3e: 'x64', 0xb7: 'arm64'}},
  {magic: 'cffaedfe', platform: 'darwin', machineAt: 4, machines: {0x07: 'x64', 0x0c: 'arm64'}},
];

/** A sentence when the program is for another platform; undefined when it is for this one, or not known. */
function builtFor(program: string): string | undefined {
  const header = Buffer.alloc(20);
  const file = openSync(program, 'r');
  readSync(file, header);
  closeSync(file);
  const format = formats.find(({magic}) => header.toString('hex', 0, 4) === magic);
  if (!format) return undefined;
  const machine = header[format.machineAt] ?? 0;
  const target = `${format.platform}/${format.machines[machine] ?? `machine ${String(machine)}`}`;
  const own = `${process.platform}/${process.arch}`;
  return target === own ? undefined : `it is built for ${target}, and this machine is ${own}`;
}

function isDirectory(path: string): boolean {
  return statSync(path, {throwIfNoEntry: false})?.isDirectory() === true;
}
