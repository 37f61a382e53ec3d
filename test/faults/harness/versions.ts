/** What a run was measured with. */
import {at, type Setting} from '../../e2e/harness/mesh.js';
import {record} from './results.js';

/** Asks the programs of a setting for their versions, for the page. */
export async function recordVersions({clusters}: Setting): Promise<void> {
  const cluster = at(clusters, 0);
  const {gitVersion} = JSON.parse(await cluster.kubectl('get', '--raw', '/version')) as {gitVersion: string};
  const istio = JSON.parse(await cluster.istioctl('version', '--remote=false', '-o', 'json')) as {
    clientVersion: {version: string};
  };
  record({kind: 'versions', istio: istio.clientVersion.version, kubernetes: gitVersion});
}
