/** What Istio's multicluster guide has people type, without us: namespace, Secret, network, istioctl, remote secrets. */
import {mkdtempSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {stringify} from 'yaml';
import type {Cluster} from '../../e2e/harness/cluster.js';

/** What the guide's variables are. */
export interface GuideOptions {
  readonly meshID: string;
  readonly network: string;
  /** Default: the cluster's own. */
  readonly clusterName?: string;
}

/** A Secret's keys, each with its text. */
export type SecretData = Readonly<Record<string, string>>;

/** Namespace with its network, Secret cacerts of the given type, and Istio by the modern form of the guide. */
export async function installByGuide(
  cluster: Cluster,
  {meshID, network, clusterName = cluster.name}: GuideOptions,
  cacerts: SecretData,
  type = 'Opaque',
): Promise<void> {
  const folder = mkdtempSync(join(cluster.sandbox.dir, 'guide-'));
  const from = Object.entries(cacerts).map(([key, text]) => {
    writeFileSync(join(folder, key), text);
    return `--from-file=${key}=${join(folder, key)}`;
  });
  await cluster.kubectl('create', 'namespace', 'istio-system');
  await cluster.kubectl('label', 'namespace', 'istio-system', `topology.istio.io/network=${network}`);
  const create = ['-n', 'istio-system', 'create', 'secret', 'generic', 'cacerts', `--type=${type}`];
  await cluster.kubectl(...create, ...from);
  const operator = {
    apiVersion: 'install.istio.io/v1alpha1',
    kind: 'IstioOperator',
    spec: {values: {global: {meshID, multiCluster: {clusterName}, network}}},
  };
  const file = join(folder, 'cluster.yaml');
  writeFileSync(file, stringify(operator));
  await cluster.istioctl('install', '-f', file, '-y');
}

/**
 * Endpoint discovery by the guide: each cluster gets the remote secret of every other one. `names`: Istio's names that cannot
 * be part of a Secret's name, so that the user replaces the data key.
 */
export async function linkByGuide(
  clusters: readonly Cluster[],
  names: Readonly<Record<string, string>> = {},
): Promise<void> {
  for (const peer of clusters) {
    const text = await peer.istioctl('create-remote-secret', '--name', peer.name);
    const file = join(mkdtempSync(join(peer.sandbox.dir, 'guide-')), 'remote-secret.yaml');
    writeFileSync(file, text.replace(`\n  ${peer.name}: `, `\n  ${names[peer.name] ?? peer.name}: `));
    for (const reader of clusters.filter((other) => other !== peer)) await reader.kubectl('apply', '-f', file);
  }
}
