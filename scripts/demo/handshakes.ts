/** The demo where no data path can run: the quick start, and workloads that connect with their certificates. */
import {randomBytes} from 'node:crypto';
import type {ControlPlanes} from '../../test/e2e/harness/control-planes.js';
import {missingForDataPath} from '../../test/e2e/harness/data-path/requirements.js';
import {settingIn} from '../../test/e2e/harness/mesh.js';
import type {MeshCli} from '../../test/e2e/harness/mesh-cli.js';
import {bothWays} from '../../test/e2e/harness/mtls.js';
import {HarnessError, type Sandbox} from '../../test/e2e/harness/processes.js';
import {startWorkload} from '../../test/e2e/harness/workload.js';
import {announce, seconds, type} from './terminal.js';

/** Starts the clusters, which share one network, and runs the commands of the quick start. Throws when a step fails. */
export async function meshWithHandshakes(
  sandbox: Sandbox,
  planes: ControlPlanes,
  signal: AbortSignal,
): Promise<MeshCli> {
  announce(
    'Starting two Kubernetes control planes: real etcd and API servers, on 127.0.0.1 only. Nodes and pods are simulated.',
  );
  const began = Date.now();
  const {clusters, cli} = await settingIn(sandbox, planes, [{name: 'cluster1'}, {name: 'cluster2'}]);
  cli.env.KUBECTL_MESH_PASSPHRASE = randomBytes(12).toString('base64url');
  announce(`Running after ${seconds(began)}.`);

  await type(cli, signal, `kubectl mesh init ${clusters.map(({name, context}) => `${name}=${context}`).join(' ')}`);
  await type(cli, signal, 'kubectl mesh up');
  await type(cli, signal, 'kubectl mesh verify');

  signal.throwIfAborted();
  announce('A workload in each cluster requests a certificate from its istiod, and the two connect with mutual TLS.');
  const workloads = await Promise.all(clusters.map((cluster) => startWorkload(cluster)));
  const [one, two] = await Promise.all(workloads.map((workload) => workload.identity()));
  if (one === undefined || two === undefined) throw new HarnessError('no workload identities');
  for (const [direction, result] of Object.entries(await bothWays(one, two))) {
    const arrow = direction === 'there' ? 'cluster1 → cluster2' : 'cluster2 → cluster1';
    if (!result.ok) throw new HarnessError(`mutual TLS ${arrow}: ${result.reason}`);
    console.log(`  ${arrow}: accepted`);
  }
  await Promise.all(workloads.map((workload) => workload.stop()));

  const missing = await missingForDataPath();
  announce(`No requests were sent: real proxies need what this machine lacks: ${missing.join(', ')}.`);
  return cli;
}
