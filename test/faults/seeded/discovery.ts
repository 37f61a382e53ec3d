/** Faults of endpoint discovery: what people and time do to remote secrets, tokens and the way to an API server. */
import {dataOf, editData, inIstioSystem, inTurn, restart} from '../harness/by-hand.js';
import type {Fault} from '../harness/fault.js';
import {
  copied,
  deleted,
  forbidden,
  hidden,
  kubeconfig,
  onlyFromHere,
  reports,
  secret,
  secrets,
  server,
  state,
  timedOut,
  token,
  tunnel,
} from '../harness/remote-secrets.js';

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
    seed: inTurn(token({issued: -91, expires: -1}), timedOut),
    fix: 'as printed',
  },
  {
    id: 'MESH504-soon',
    title: 'the token for a peer expires soon',
    ...pair,
    says: /expires .* in \d+ days/,
    seed: inTurn(token({issued: -85, expires: 5}), async (lab) => {
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
    id: 'MESH505-workstation',
    title: 'mesh.yaml and the remote secret have an address that only the workstation can use',
    ...pair,
    says: /cannot be used by pods of other clusters/,
    seed: onlyFromHere,
    fix: {editor: (text, lab) => text.replace(tunnel, lab.cluster('two').api.server)},
  },
  {
    id: 'MESH506-forbidden',
    title: "Istio's reader may not read a peer, and istiod has restarted",
    ...pair,
    says: /reports cluster two as timeout/,
    seed: forbidden,
    fix: 'as printed',
  },
  {
    id: 'MESH506-wrong-server',
    title: 'the server in a remote secret no longer exists, and the kubeconfig has only an address of the workstation',
    ...pair,
    // Whether the server is right is unknown then.
    silences: ['MESH505 one two'],
    says: /reports cluster two as timeout/,
    seed: inTurn(server('https://old.example.invalid'), timedOut),
    fix: {
      person: 'links it with an address that pods can use',
      act: async (lab) => {
        await lab.cli.must('link', 'one', '--yes');
      },
    },
  },
  {
    id: 'MESH507-hidden',
    title: 'istiod has none of the endpoints of a peer that it has synced',
    ...pair,
    says: /has no endpoints in two for /,
    seed: hidden,
    fix: 'as printed',
  },
];
