/** Faults of endpoint discovery: what people and time do to remote secrets, tokens and the way to an API server. */
import {createPrivateKey, sign} from 'node:crypto';
import {readFileSync, writeFileSync} from 'node:fs';
import {parse, stringify} from 'yaml';
import type {DataResource} from '../../e2e/harness/api.js';
import {eventually, HarnessError} from '../../e2e/harness/processes.js';
import {fetchText} from '../../e2e/harness/port-forward.js';
import {dataOf, editData, inIstioSystem, inTurn, restart} from '../harness/by-hand.js';
import {servePartly} from '../harness/partial-api-server.js';
import type {Fault} from '../harness/fault.js';
import type {Lab} from '../harness/lab.js';

const secret = 'istio-remote-secret-two';
const secrets = '/api/v1/namespaces/istio-system/secrets';

/** Waits until clusterz of the istiod of one matches. */
async function reports(lab: Lab, what: string, pattern: RegExp): Promise<void> {
  const matches = async (): Promise<true | undefined> => {
    const pod = await lab.cluster('one').kubelet?.readyIstiod();
    return pattern.test(await fetchText(pod?.ports[15014] ?? 0, '/debug/clusterz')) || undefined;
  };
  await eventually(`istiod of one reports ${what}`, matches, 90_000);
}

/** The state of a cluster in clusterz. */
const state = (id: string, status: string): RegExp => new RegExp(`"${id}"[^}]*"syncStatus": ?"${status}"`);

/** Deletes the remote secret for two, and waits until istiod has forgotten it. */
const deleted: Fault['seed'] = async (lab) => {
  await inIstioSystem('one', 'delete', 'secret', secret)(lab);
  await reports(lab, 'no cluster two', /^(?![\s\S]*"two")/);
  return undefined;
};

/** A Secret in one with the data of the remote secret for two, under other names. */
function copied(name: string, key = 'two'): Fault['seed'] {
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

interface Kubeconfig {
  clusters: {cluster: Record<string, string>}[];
  users: {user: Record<string, string>}[];
}

/** Edits the kubeconfig in the remote secret for two. */
function kubeconfig(change: (config: Kubeconfig, lab: Lab) => void | Promise<void>): Fault['seed'] {
  return async (lab) => {
    const before = (await dataOf(lab.cluster('one'), 'secrets', secret))?.two ?? '';
    const config = parse(Buffer.from(before, 'base64').toString('utf8')) as Kubeconfig;
    await change(config, lab);
    await editData(lab.cluster('one'), `${secrets}/${secret}`, (data) => {
      data.two = Buffer.from(stringify(config)).toString('base64');
    });
    return undefined;
  };
}

/** Another server in it. */
const server = (url: string): Fault['seed'] =>
  kubeconfig(({clusters: [first]}) => {
    if (first) first.cluster.server = url;
  });

const timedOut: Fault['seed'] = async (lab) => {
  await reports(lab, 'a timeout of two', state('two', 'timeout'));
  // A remote secret that was just written proves nothing.
  await new Promise((resolve) => setTimeout(resolve, 35_000));
  return undefined;
};

/** The token in the remote secret with other times, signed again by the API server's key. */
function token(issued: number, expires: number): Fault['seed'] {
  const day = 86_400;
  return kubeconfig(({users: [first]}, lab) => {
    const [header = '', payload = ''] = (first?.user.token ?? '').split('.');
    const now = Math.floor(Date.now() / 1000);
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')) as object;
    const times = {iat: now + issued * day, nbf: now + issued * day, exp: now + expires * day};
    const body = `${header}.${Buffer.from(JSON.stringify({...claims, ...times})).toString('base64url')}`;
    const key = createPrivateKey(readFileSync(lab.cluster('two').tokenKey));
    const signature = sign('sha256', Buffer.from(body), {key, dsaEncoding: 'ieee-p1363'}).toString('base64url');
    if (first) first.user.token = `${body}.${signature}`;
  });
}

/** Deletes what permits the reader to read cluster two, and restarts the istiod that reads it. */
const forbidden: Fault['seed'] = async (lab) => {
  const two = lab.cluster('two');
  const names = (await two.kubectl('get', 'clusterrolebindings', '-o', 'name')).split('\n');
  const readers = names.filter((name) => name.includes('istio-reader-clusterrole'));
  if (readers.length === 0) throw new HarnessError(`no binding of the reader: ${names.join(' ')}`);
  await two.kubectl('delete', ...readers);
  await restart(lab.cluster('one'));
  await reports(lab, 'a timeout of two', state('two', 'timeout'));
  return undefined;
};

/** one reads two through a front end that hides endpoints. */
const hidden: Fault['seed'] = async (lab) => {
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

const pair = {cluster: 'one', peer: 'two'} as const;

export const discoveryFaults: readonly Fault[] = [
  {
    id: 'MESH501-deleted',
    title: 'the remote secret for a peer was deleted',
    ...pair,
    says: /istio-remote-secret-two does not exist/,
    seed: deleted,
    fix: 'as printed',
  },
  {
    id: 'MESH501-renamed',
    title: 'the remote secret for a peer has another name',
    ...pair,
    result: 'warning',
    says: /the credential for two is in Secret istio-system\/theirs/,
    seed: inTurn(copied('theirs'), deleted, async (lab) => {
      // istiod does not read a Secret again that it has ignored.
      await restart(lab.cluster('one'));
      await reports(lab, 'Secret theirs', /theirs/);
      return undefined;
    }),
    fix: 'as printed',
  },
  {
    id: 'MESH501-wrong-id',
    title: 'the data key of a remote secret is not the CLUSTER_ID of the peer',
    ...pair,
    says: /has data key zwei/,
    seed: async (lab) => {
      await editData(lab.cluster('one'), `${secrets}/${secret}`, (data) => {
        data.zwei = data.two ?? '';
        delete data.two;
      });
      await reports(lab, 'cluster zwei', state('zwei', 'synced'));
      return undefined;
    },
    fix: 'as printed',
  },
  {
    id: 'MESH502-gone',
    title: "a deleted cluster's remote secret still exists",
    cluster: 'one',
    says: /istio-remote-secret-gone is for cluster gone, which is not in mesh.yaml/,
    seed: async (lab) => {
      const args = ['create-remote-secret', '--name', 'gone', '-n', 'istio-system', '--server', 'https://127.0.0.1:1'];
      const text = await lab.cluster('two').istioctl(...args);
      await lab.type(`kubectl --context kwok-one apply -f - <<'END'\n${text}\nEND`);
      await reports(lab, 'cluster gone', /"gone"/);
      return undefined;
    },
    fix: 'as printed',
  },
  {
    id: 'MESH502-twice',
    title: 'two remote secrets are for one peer',
    cluster: 'one',
    says: /are both for cluster two/,
    seed: copied('theirs'),
    fix: 'as printed',
  },
  {
    id: 'MESH502-own',
    title: 'a cluster has a remote secret for itself',
    cluster: 'one',
    result: 'warning',
    says: /is for cluster one itself/,
    seed: copied('istio-remote-secret-one', 'one'),
    fix: 'as printed',
  },
  {
    id: 'MESH503-revoked',
    title: 'the token for a peer was revoked',
    ...pair,
    says: /two rejects the token/,
    seed: async (lab) => {
      await inIstioSystem('two', 'delete', 'secret', 'kubectl-mesh-reader-one')(lab);
      // The API server accepts a token for up to 10 seconds longer.
      await new Promise((resolve) => setTimeout(resolve, 12_000));
      return undefined;
    },
    fix: 'as printed',
  },
  {
    id: 'MESH503-swapped',
    title: "the remote secret for a peer holds the reader's own credential",
    ...pair,
    says: /two rejects the token/,
    seed: async (lab) => {
      const own = (await dataOf(lab.cluster('two'), 'secrets', 'istio-remote-secret-one'))?.one ?? '';
      await editData(lab.cluster('one'), `${secrets}/${secret}`, (data) => {
        data.two = own;
      });
      await reports(lab, 'two as synced', state('two', 'synced'));
      return undefined;
    },
    fix: 'as printed',
  },
  {
    id: 'MESH503-expired',
    title: 'the token for a peer has expired',
    ...pair,
    says: /two rejects the token .*: it expired/,
    seed: inTurn(token(-91, -1), timedOut),
    fix: 'as printed',
  },
  {
    id: 'MESH504-soon',
    title: 'the token for a peer expires soon',
    ...pair,
    says: /expires .* in \d+ days/,
    seed: inTurn(token(-85, 5), async (lab) => {
      await reports(lab, 'two as synced', state('two', 'synced'));
      return undefined;
    }),
    fix: 'as printed',
  },
  {
    id: 'MESH505-wrong-ca',
    title: 'the CA in a remote secret is not that of the API server',
    ...pair,
    says: /the CA is another one/,
    seed: inTurn(
      kubeconfig(({clusters: [first]}, lab) => {
        const other = Buffer.from(lab.read('root-cert.pem')).toString('base64');
        if (first) first.cluster['certificate-authority-data'] = other;
      }),
      timedOut,
    ),
    fix: 'as printed',
  },
  {
    id: 'MESH505-wrong-server',
    title: 'the server in a remote secret no longer exists',
    ...pair,
    says: /server https:\/\/old\.example\.invalid/,
    seed: inTurn(server('https://old.example.invalid'), timedOut),
    fix: 'as printed',
  },
  {
    id: 'MESH505-workstation',
    title: 'only the workstation can use the server in a remote secret',
    ...pair,
    says: /cannot be used by pods of other clusters/,
    seed: async (lab) => {
      const declared = lab.read('mesh.yaml');
      await inTurn(server('https://kubernetes.docker.internal:1'), timedOut)(lab);
      return () => {
        writeFileSync(lab.path('mesh.yaml'), declared);
        return Promise.resolve();
      };
    },
    // In the lab every address is one of this machine, and works.
    fix: {editor: (text) => `${text.trimEnd()}\n# The kubeconfig's address is right.\n`},
  },
  {
    id: 'MESH506-forbidden',
    title: "Istio's reader may not read a peer, and istiod has restarted",
    ...pair,
    says: /reports cluster two as timeout/,
    seed: forbidden,
    fix: {
      person: "restores the reader's ClusterRoleBinding",
      act: async (lab) => {
        await lab.cli.must('install', 'apply', 'two');
      },
    },
  },
  {
    id: 'MESH507-hidden',
    title: 'istiod has none of the endpoints of a peer that it has synced',
    ...pair,
    says: /has no endpoints of .* in two/,
    seed: hidden,
    fix: 'as printed',
  },
];
