import {defined} from '../../domain/defined.js';
import * as z from 'zod';
import {MeshError} from '../../domain/errors.js';
import {lastLines} from '../child-output.js';
import type {KubeconfigAddress} from '../../domain/discovery/api-server.js';
import {addressOf, clusterFields} from '../../domain/discovery/remote-kubeconfig.js';
import {kubectlArgs, type Kubectl} from './start.js';

const clusterEntry = z.object(clusterFields);

/**
 * Returns the cluster entry of a context, with its CA file inlined. kubectl merges the files of the kubeconfig and resolves
 * paths; the template leaves credentials out of its output. Throws `TOOL_MISSING`, `KUBECONFIG_MISSING`.
 */
export async function serverOfContext({runner, flags: {kubeconfig}, context}: Kubectl): Promise<KubeconfigAddress> {
  const view = ['config', 'view', '--minify', '--flatten', '-o', 'jsonpath={.clusters[0].cluster}'];
  const result = await runner.run({
    file: 'kubectl',
    args: [...kubectlArgs({kubeconfig}, context), ...view],
    timeoutMs: 10_000,
  });
  const failed = (why: string): MeshError =>
    new MeshError('KUBECONFIG_MISSING', `kubectl cannot show the API server of context "${context}": ${why}`, {
      hints: ["declare the cluster's apiServer in mesh.yaml"],
    });
  if (result.exitCode !== 0) throw failed(lastLines(result.stderr));
  const entry = clusterEntry.safeParse(parsed(result.stdout));
  if (!entry.success) throw failed('its output is not a cluster of a kubeconfig');
  const {server, ...cluster} = entry.data;
  if (server === undefined) throw failed('the kubeconfig names no server for it');
  return defined<KubeconfigAddress>({
    ...addressOf(server, cluster),
    insecure: cluster['insecure-skip-tls-verify'] === true ? true : undefined,
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
