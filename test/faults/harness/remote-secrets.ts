/** What people and time do to the remote secret for two, to its token, and to the way to an API server. */
import {writeFileSync} from 'node:fs';
import type {DataResource} from '../../e2e/harness/api.js';
import {eventually, HarnessError} from '../../e2e/harness/processes.js';
import {fetchText} from '../../e2e/harness/port-forward.js';
import {
  editRemoteKubeconfig,
  type RemoteKubeconfig,
  type TokenTimes,
  withTimes,
} from '../../e2e/harness/remote-secrets.js';
import {inIstioSystem, inTurn, restart} from './by-hand.js';
import {servePartly} from './partial-api-server.js';
import type {Fault} from './fault.js';
import type {Lab} from './lab.js';

/** In Istio's namespace of one. */
export const secret = 'istio-remote-secret-two';
export const secrets = '/api/v1/namespaces/istio-system/secrets';

/** Waits until clusterz of the istiod of one matches. */
export async function reports(lab: Lab, what: string, pattern: RegExp): Promise<void> {
  const matches = async (): Promise<true | undefined> => {
    const pod = await lab.cluster('one').kubelet?.readyIstiod();
    return pattern.test(await fetchText(pod?.ports[15014] ?? 0, '/debug/clusterz')) || undefined;
  };
  await eventually(`istiod of one reports ${what}`, matches, 90_000);
}

/** The state of a cluster in clusterz. */
export const state = (id: string, status: string): RegExp => new RegExp(`"${id}"[^}]*"syncStatus": ?"${status}"`);

/** Deletes the remote secret for two, and waits until istiod has forgotten it. */
export const deleted: Fault['seed'] = async (lab) => {
  await inIstioSystem('one', 'delete', 'secret', secret)(lab);
  await reports(lab, 'no cluster two', /^(?![\s\S]*"two")/);
  return undefined;
};

/** A Secret in one with the data of the remote secret for two, under other names. */
export function copied(name: string, key = 'two'): Fault['seed'] {
  return async (lab) => {
    const one = lab.cluster('one');
    const {data = {}} = await one.api.get<DataResource>(`${secrets}/${secret}`);
    await one.api.create(secrets, {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: {name, labels: {'istio/multiCluster': 'true'}},
      data: {[key]: data.two},
    });
    return async () => {
      await one.kubectl('-n', 'istio-system', 'delete', 'secret', name, '--ignore-not-found');
    };
  };
}

/** Edits the kubeconfig in the remote secret for two. */
export function kubeconfig(change: (config: RemoteKubeconfig, lab: Lab) => void): Fault['seed'] {
  return async (lab) => {
    await editRemoteKubeconfig(lab.cluster('one'), 'two', (config) => {
      change(config, lab);
    });
    return undefined;
  };
}

/** Another server in it. */
export const server = (url: string): Fault['seed'] =>
  kubeconfig(({clusters: [first]}) => {
    if (first) first.cluster.server = url;
  });

/** Waits until istiod has given up reading two. */
export const timedOut: Fault['seed'] = async (lab) => {
  await reports(lab, 'a timeout of two', state('two', 'timeout'));
  // A remote secret that was just written proves nothing.
  await new Promise((resolve) => setTimeout(resolve, 35_000));
  return undefined;
};

/** An end of a tunnel on the workstation, where istiod finds nothing. */
export const tunnel = 'https://127.0.0.1:1';

/** Declares the tunnel as the API server of two, and has istioctl write it, since link refuses it. */
export const onlyFromHere: Fault['seed'] = async (lab) => {
  const declared = lab.read('mesh.yaml');
  lab.edit('mesh.yaml', (text) => text.replace(/^( +)(- )?name: two$/m, `$&\n$1  apiServer: {url: ${tunnel}}`));
  const text = await lab.cluster('two').istioctl('create-remote-secret', '--name', 'two', '--server', tunnel);
  await lab.type(`kubectl --context kwok-one replace -f - <<'END'\n${text}\nEND`);
  await timedOut(lab);
  return () => {
    writeFileSync(lab.path('mesh.yaml'), declared);
    return Promise.resolve();
  };
};

/** The token in the remote secret with other times. */
export const token = (times: TokenTimes): Fault['seed'] =>
  kubeconfig(({users: [first]}, lab) => {
    if (first?.user.token !== undefined) first.user.token = withTimes(lab.cluster('two'), first.user.token, times);
  });

/** Deletes what permits the reader to read cluster two, and restarts the istiod that reads it. */
export const forbidden: Fault['seed'] = async (lab) => {
  const two = lab.cluster('two');
  const names = (await two.kubectl('get', 'clusterrolebindings', '-o', 'name')).split('\n');
  const readers = names.filter((name) => name.includes('istio-reader-clusterrole'));
  if (readers.length === 0) throw new HarnessError(`no binding of the reader: ${names.join(' ')}`);
  await two.kubectl('delete', ...readers);
  await restart(lab.cluster('one'));
  return timedOut(lab);
};

/** one reads two through a front end that hides endpoints. */
export const hidden: Fault['seed'] = async (lab) => {
  const front = await servePartly(lab.cluster('two').api.server, 'endpointslices');
  const declared = lab.read('mesh.yaml');
  const seed = inTurn(
    kubeconfig(({clusters: [first]}) => {
      if (first) Object.assign(first.cluster, {server: front.url, 'certificate-authority-data': front.caData});
    }),
    async () => {
      await restart(lab.cluster('one'));
      await reports(lab, 'two as synced', state('two', 'synced'));
      front.showAll();
      return undefined;
    },
  );
  await seed(lab);
  await new Promise((resolve) => setTimeout(resolve, 60_000));
  return async () => {
    writeFileSync(lab.path('mesh.yaml'), declared);
    await lab.cli.must('link', 'one', '--yes');
    front.close();
  };
};
