/**
 * Where an istiod reads its CA. It reads files in one directory (ROOT_CA_DIR), so the CA is what the Deployment mounts there:
 * usually Secret cacerts, but also another Secret, some of its data keys under other names, or a CSI volume.
 *
 * Sources: istio/istio pilot/pkg/bootstrap/istio_ca.go (LocalCertDir), manifests/charts/istio-control/istio-discovery/templates/deployment.yaml
 * (volume cacerts at /etc/cacerts); kubernetes.io: concepts/storage/volumes (secret, items, subPath, projected, csi).
 */
import type {DeploymentObject, SecretObject} from '../kube/objects.js';
import {defined} from '../defined.js';
import {istiodContainer} from './image.js';
import {cacertsName} from './names.js';

/** The data keys of a Secret that a volume contains, with the names of their files: `{'tls.crt': 'ca-cert.pem'}`. */
export type FileNames = Readonly<Record<string, string>>;

/** Where one istiod reads its CA. */
export type CaSource =
  /** A Secret in Istio's namespace. `files`: only these data keys, under these names; absent: all, under their own names. */
  | {readonly from: 'secret'; readonly name: string; readonly files?: FileNames}
  /** A volume whose content this program cannot read: `a volume of CSI driver csi.example.com`. */
  | {readonly from: 'volume'; readonly what: string; readonly driver?: string}
  /** No volume is mounted there: istiod signs with its self-signed CA. `cacertsAt`: the directory that Secret cacerts is mounted at. */
  | {readonly from: 'nothing'; readonly directory: string; readonly cacertsAt?: string}
  /** ROOT_CA_DIR refers to another object. */
  | {readonly from: 'unknown directory'};

/** An istiod and its source. */
export interface IstiodCaSource {
  /** The Deployment's name. */
  readonly istiod: string;
  readonly source: CaSource;
}

/** The environment variable with istiod's CA directory. */
const directoryVariable = 'ROOT_CA_DIR';
const defaultDirectory = './etc/cacerts';

/** The files that istiod reads there (istio/istio security/pkg/pki/ca/ca.go, SigningCAFileBundle). */
const caFiles = [
  'ca-cert.pem',
  'ca-key.pem',
  'root-cert.pem',
  'cert-chain.pem',
  'tls.crt',
  'tls.key',
  'ca.crt',
] as const;

/** Reads the source from an istiod Deployment. */
export function caSourceOf({metadata, spec}: DeploymentObject): IstiodCaSource {
  const {containers, volumes = []} = spec.template.spec;
  const container = istiodContainer(containers);
  const istiod = metadata.name;
  const variable = container?.env?.find(({name}) => name === directoryVariable);
  if (variable && variable.value === undefined) return {istiod, source: {from: 'unknown directory'}};
  // istiod's images have the working directory / (istio/istio pilot/docker/Dockerfile.pilot). An empty variable counts as set.
  const value = variable?.value ?? defaultDirectory;
  const directory = normalized(value.startsWith('/') ? value : `${container?.workingDir ?? '/'}/${value}`);
  const mounts = container?.volumeMounts ?? [];
  const at = mounts
    .filter(({mountPath}) => isWithin(directory, normalized(mountPath)))
    .toSorted((one, other) => normalized(other.mountPath).length - normalized(one.mountPath).length)[0];
  const files = caFiles.map((name) => normalized(`${directory}/${name}`));
  if (mounts.some(({mountPath}) => files.includes(normalized(mountPath))))
    return {istiod, source: {from: 'volume', what: `single files mounted in ${directory}`}};
  const nothing = (): CaSource => {
    const names = volumes.filter((volume) => secretOfVolume(volume)?.name === cacertsName).map(({name}) => name);
    const cacertsAt = mounts.find(({name}) => names.includes(name))?.mountPath;
    return defined({from: 'nothing' as const, directory, cacertsAt});
  };
  const volume = at && volumes.find(({name}) => name === at.name);
  if (!volume) return {istiod, source: nothing()};
  const secret = secretOfVolume(volume);
  if (!secret) return {istiod, source: defined({...describedVolume(volume), driver: volume.csi?.driver})};
  if (at.subPathExpr !== undefined) return {istiod, source: {from: 'unknown directory'}};
  const inVolume = [at.subPath ?? '', directory.slice(normalized(at.mountPath).length)].join('/');
  return {istiod, source: filesIn(secret, normalized(`/${inVolume}`).slice(1)) ?? nothing()};
}

/** The mounted files of a Secret in a directory of its volume; undefined if the directory does not exist. */
function filesIn({name, files}: MountedSecret, directory: string): CaSource | undefined {
  if (directory === '') return defined({from: 'secret' as const, name, files});
  const prefix = `${directory}/`;
  const inside = Object.entries(files ?? {}).filter(([, path]) => path.startsWith(prefix));
  if (inside.length === 0) return undefined;
  return {
    from: 'secret',
    name,
    files: Object.fromEntries(inside.map(([key, path]) => [key, path.slice(prefix.length)])),
  };
}

type Volume = NonNullable<DeploymentObject['spec']['template']['spec']['volumes']>[number];
interface MountedSecret {
  readonly name: string;
  readonly files?: FileNames;
}

/** The only Secret in a volume; undefined if the volume has other content. */
function secretOfVolume({secret, projected}: Volume): MountedSecret | undefined {
  const [only, ...others] = projected?.sources ?? [];
  const projectedSecret = others.length === 0 ? only?.secret : undefined;
  const name = secret?.secretName ?? projectedSecret?.name;
  if (name === undefined) return undefined;
  // An empty list counts as none: the volume then contains every data key.
  const {items = []} = secret ?? projectedSecret ?? {};
  const files = items.length === 0 ? undefined : Object.fromEntries(items.map(({key, path}) => [key, path]));
  return defined({name, files});
}

function describedVolume({name, csi, projected}: Volume) {
  const other = projected ? 'a projected volume' : `volume ${name}, which is not a Secret`;
  return {from: 'volume', what: csi ? describedCsi(csi) : other} as const;
}

/** With the object that configures the content (secrets-store-csi-driver.sigs.k8s.io: concepts, SecretProviderClass). */
function describedCsi({
  driver,
  volumeAttributes: {secretProviderClass: name} = {},
}: NonNullable<Volume['csi']>): string {
  return `a volume of CSI driver ${driver}${name === undefined ? '' : ` (SecretProviderClass ${name})`}`;
}

/** An absolute path without empty parts, `.` and `..`. */
function normalized(path: string): string {
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return `/${parts.join('/')}`;
}

function isWithin(path: string, directory: string): boolean {
  return path === directory || path.startsWith(directory === '/' ? '/' : `${directory}/`);
}

/** Whether an istiod reads Secret cacerts as `trust push` writes it. */
export function readsCacerts({source}: IstiodCaSource): boolean {
  if (source.from !== 'secret' || source.name !== cacertsName) return false;
  return Object.entries(source.files ?? {}).every(([key, path]) => key === path);
}

/**
 * The Secret with the CA of a cluster's istiods, `cacerts` where none runs yet; undefined if no istiod reads its CA from a Secret.
 * If they read several, it is cacerts or else the first.
 */
export function caSecretOf(sources: readonly IstiodCaSource[]): MountedSecret | undefined {
  if (sources.length === 0 || sources.some(readsCacerts)) return {name: cacertsName};
  const [first] = sources.flatMap(({source}) => (source.from === 'secret' ? [source] : []));
  return first;
}

/** The names of the Secrets that istiods mount. */
export function mountedSecrets(sources: readonly IstiodCaSource[]): readonly string[] {
  return [...new Set(sources.flatMap(({source}) => (source.from === 'secret' ? [source.name] : [])))];
}

/** The istiods that do not read Secret cacerts as `trust push` writes it. */
export function otherSources(sources: readonly IstiodCaSource[]): readonly IstiodCaSource[] {
  return sources.filter((one) => !readsCacerts(one));
}

/** Whether an install document mentions the source: it then mounts it again, by an overlay. */
export function isMentioned(source: CaSource, installYaml: string): boolean {
  const name = source.from === 'secret' ? source.name : source.from === 'volume' ? source.driver : undefined;
  return name !== undefined && installYaml.split(/[^-.a-z0-9]+/).includes(name);
}

/** A Secret with its data under the names of the mounted files. */
export function asMounted(secret: SecretObject, files: FileNames | undefined): SecretObject {
  if (files === undefined) return secret;
  const data = Object.entries(secret.data ?? {}).flatMap(([key, value]) => {
    const name = Object.hasOwn(files, key) ? files[key] : undefined;
    return name === undefined ? [] : [[name, value] as const];
  });
  return {...secret, data: Object.fromEntries(data)};
}

/** `Secret mesh-signing-ca`: the source in messages, after "reads its CA from". */
export function describeSource(source: CaSource): string {
  switch (source.from) {
    case 'secret':
      return `Secret ${source.name}${source.files ? ` (${renamedKeys(source.files)})` : ''}`;
    case 'volume':
      return source.what;
    case 'nothing': {
      const {directory, cacertsAt} = source;
      return `${directory}, where no volume is mounted${cacertsAt === undefined ? '' : ` (Secret cacerts is mounted at ${cacertsAt})`}`;
    }
    case 'unknown directory':
      return `a directory that cannot be read from the Deployment (${directoryVariable})`;
  }
}

function renamedKeys(files: FileNames): string {
  return Object.entries(files)
    .map(([key, path]) => (key === path ? key : `${key} as ${path}`))
    .join(', ');
}
