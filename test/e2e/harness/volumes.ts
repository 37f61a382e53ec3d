/**
 * A pod's volumes on this machine's disk, as a kubelet lays them out: every Secret, ConfigMap and projected volume is a
 * directory whose files are links through `..data`, and `..data` is swapped in one rename when the content changes. Programs
 * that watch such a directory (istiod does) see what they would see in a cluster.
 *
 * Layout after kubernetes/kubernetes pkg/volume/util/atomic_writer.go.
 */
import {createHash} from 'node:crypto';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import {join} from 'node:path';
import type {Api, DataResource} from './api.js';

/** A volume of a pod's spec, the kinds that istiod's Deployment uses. */
export interface Volume {
  readonly name: string;
  readonly secret?: {readonly secretName: string; readonly optional?: boolean};
  readonly configMap?: {readonly name: string; readonly optional?: boolean};
  readonly projected?: {
    readonly sources: readonly {
      readonly serviceAccountToken?: {readonly audience?: string; readonly path: string};
      readonly configMap?: {
        readonly name: string;
        readonly items?: readonly {readonly key: string; readonly path: string}[];
      };
    }[];
  };
}

/** Whose volumes they are. */
export interface VolumeOwner {
  readonly namespace: string;
  readonly serviceAccount: string;
}

/** Files of a volume by name. */
export type Content = Readonly<Record<string, Buffer>>;

/** What a volume holds now; undefined when an object that is not optional does not exist, or the volume is an emptyDir. */
export async function readVolume(api: Api, owner: VolumeOwner, volume: Volume): Promise<Content | undefined> {
  const {namespace, serviceAccount} = owner;
  if (volume.secret) {
    const {secretName, optional} = volume.secret;
    const secret = await api.find<DataResource>(`/api/v1/namespaces/${namespace}/secrets/${secretName}`);
    return secret ? decode(secret, 'base64') : optional ? {} : undefined;
  }
  if (volume.configMap) {
    const {name, optional} = volume.configMap;
    const map = await api.find<DataResource>(`/api/v1/namespaces/${namespace}/configmaps/${name}`);
    return map ? decode(map, 'utf8') : optional ? {} : undefined;
  }
  const content: Record<string, Buffer> = {};
  for (const source of volume.projected?.sources ?? []) {
    if (source.serviceAccountToken) {
      const {audience, path} = source.serviceAccountToken;
      content[path] = Buffer.from(
        await api.token(namespace, serviceAccount, audience === undefined ? undefined : [audience]),
      );
    }
    if (source.configMap) {
      const map = await api.find<DataResource>(`/api/v1/namespaces/${namespace}/configmaps/${source.configMap.name}`);
      if (!map) return undefined;
      for (const {key, path} of source.configMap.items ?? []) content[path] = Buffer.from(map.data?.[key] ?? '');
    }
  }
  return content;
}

/** Secrets and ConfigMaps follow their object; tokens here live longer than any test. */
export function isLive(volume: Volume): boolean {
  return volume.secret !== undefined || volume.configMap !== undefined;
}

/** Writes the content of a volume; does nothing when it is there already. Returns whether something changed. `mode` is that of new files. */
export function writeVolume(directory: string, content: Content, mode = 0o600): boolean {
  mkdirSync(directory, {recursive: true});
  const stamp = `..${fingerprint(content)}`;
  const data = join(directory, '..data');
  const before = isLink(data) ? readlinkSync(data) : undefined;
  if (before === stamp) return false;
  const version = join(directory, stamp);
  mkdirSync(version, {recursive: true});
  for (const [name, bytes] of Object.entries(content)) writeFileSync(join(version, name), bytes, {mode});
  const next = join(directory, '..data_tmp');
  rmSync(next, {force: true});
  symlinkSync(stamp, next);
  renameSync(next, data);
  for (const name of Object.keys(content)) {
    const link = join(directory, name);
    if (!isLink(link)) symlinkSync(join('..data', name), link);
  }
  for (const name of readdirSync(directory)) {
    // A directory is where another volume is mounted.
    if (!name.startsWith('..') && !(name in content) && isLink(join(directory, name))) rmSync(join(directory, name));
  }
  if (before !== undefined && existsSync(join(directory, before))) rmSync(join(directory, before), {recursive: true});
  return true;
}

/** Names a version of the content. */
function fingerprint(content: Content): string {
  return createHash('sha256')
    .update(
      JSON.stringify(
        Object.entries(content)
          .map(([name, bytes]) => [name, bytes.toString('base64')])
          .sort(),
      ),
    )
    .digest('hex')
    .slice(0, 16);
}

function decode(object: DataResource, encoding: 'base64' | 'utf8'): Content {
  return Object.fromEntries(
    Object.entries(object.data ?? {}).map(([name, text]) => [name, Buffer.from(text, encoding)]),
  );
}

function isLink(path: string): boolean {
  return lstatSync(path, {throwIfNoEntry: false})?.isSymbolicLink() ?? false;
}
