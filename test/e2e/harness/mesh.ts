/** Clusters and the user who makes a mesh of them: what most end-to-end tests begin with. */
import {readdirSync, statSync} from 'node:fs';
import {join} from 'node:path';
import type {Resource} from './api.js';
import {Cluster, type ClusterOptions} from './cluster.js';
import {controlPlanes, type ControlPlanes} from './control-planes.js';
import {MeshCli} from './mesh-cli.js';
import {Sandbox} from './processes.js';
import {requirePrograms} from './requirements.js';

/** A sandbox with clusters and one user whose kubeconfig knows them all. */
export interface Setting {
  readonly sandbox: Sandbox;
  readonly clusters: readonly Cluster[];
  readonly cli: MeshCli;
}

/** Starts the clusters; `sandbox.close()` ends everything. */
export async function startSetting(...options: ClusterOptions[]): Promise<Setting> {
  return startSettingOf(await controlPlanes(), ...options);
}

/** The same with other programs. */
export async function startSettingOf(planes: ControlPlanes, ...options: ClusterOptions[]): Promise<Setting> {
  const sandbox = new Sandbox();
  try {
    return await settingIn(sandbox, planes, options);
  } catch (error) {
    await sandbox.close();
    throw error;
  }
}

/** The same in a sandbox that the caller closes, also after an error. */
export async function settingIn(
  sandbox: Sandbox,
  planes: ControlPlanes,
  options: readonly ClusterOptions[],
): Promise<Setting> {
  await requirePrograms('kubectl', 'openssl');
  const clusters = await Promise.all(options.map((option) => Cluster.create(sandbox, planes, option)));
  const contexts = Object.fromEntries(clusters.map((cluster) => [cluster.context, cluster]));
  return {sandbox, clusters, cli: new MeshCli(sandbox, planes, contexts)};
}

/** Starts clusters and makes a mesh of them with `up`. */
export async function startMesh(...names: readonly string[]): Promise<Setting> {
  const setting = await startSetting(...names.map((name) => ({name})));
  const {cli, clusters, sandbox} = setting;
  try {
    await cli.must('init', ...clusters.map(({name, context}) => `${name}=${context}`));
    await cli.must('up', '--key-algorithm', 'ecdsa-p256');
    return setting;
  } catch (error) {
    await sandbox.close();
    throw error;
  }
}

/** Element of an array that must be there. */
export function at<T>(items: readonly T[], index: number): T {
  const item = items[index];
  if (item === undefined) throw new Error(`no element ${String(index)}`);
  return item;
}

/** Every file of a directory with the time of its last change: equal before and after means nothing was written. */
export function changeTimes(directory: string): Record<string, number> {
  return Object.fromEntries(
    readdirSync(directory, {recursive: true, encoding: 'utf8'})
      .sort()
      .map((name) => [name, statSync(join(directory, name)).mtimeMs]),
  );
}

/** resourceVersions of what `trust push` writes in a cluster; undefined for what does not exist. */
export async function trustVersions(cluster: Cluster): Promise<Record<string, string | undefined>> {
  const namespace = '/api/v1/namespaces/istio-system';
  const paths = {namespace, cacerts: `${namespace}/secrets/cacerts`, previous: `${namespace}/secrets/cacerts-previous`};
  const entries = Object.entries(paths).map(async ([name, path]) => {
    const found = await cluster.api.find<Resource>(path);
    return [name, found?.metadata.resourceVersion] as const;
  });
  return Object.fromEntries(await Promise.all(entries));
}
