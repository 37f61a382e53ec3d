/** Faults of Secret cacerts: what people and tools put there. */
import {rm} from 'node:fs/promises';
import {join} from 'node:path';
import {crlOf} from '../../helpers/crl.js';
import {tinyClusterCa, tinyRoot, type TinyCa} from '../../helpers/tiny-ca.js';
import {eventually} from '../../e2e/harness/processes.js';
import {dataOf, encoded, inIstioSystem, inTurn, restart, rolledOut, waitForBundle} from '../harness/by-hand.js';
import {createCacerts, putCacerts} from '../harness/cas.js';
import type {Fault} from '../harness/fault.js';
import type {Lab} from '../harness/lab.js';

/** Secret cacerts of the first cluster goes away. */
export const deleteCacerts = inIstioSystem('one', 'delete', 'secret', 'cacerts');

/** A root that the mesh knows nothing of, and a CA under it, in Secret cacerts of a cluster; the files stay. */
async function putForeign(lab: Lab, cluster: string): Promise<TinyCa> {
  const root = await tinyRoot();
  await putCacerts(lab, cluster, await tinyClusterCa(root, 'foreign'), [root]);
  return root;
}

/** JSON patch of Secret cacerts. */
function patched(patch: (lab: Lab) => readonly object[]): Fault['seed'] {
  return async (lab) => {
    const json = JSON.stringify(patch(lab));
    await inIstioSystem('one', 'patch', 'secret', 'cacerts', '--type=json', '-p', json)(lab);
    return undefined;
  };
}

export const cacertsFaults: readonly Fault[] = [
  {
    id: 'MESH301-deleted',
    title: 'Secret cacerts was deleted',
    cluster: 'one',
    says: /no Secret istio-system\/cacerts/,
    seed: deleteCacerts,
    fix: 'as printed',
  },
  {
    id: 'MESH301-deleted-and-restarted',
    title: 'Secret cacerts was deleted and istiod restarted: it signs with its own root',
    cluster: 'one',
    says: /no Secret istio-system\/cacerts/,
    seed: inTurn(deleteCacerts, async (lab) => {
      await restart(lab.cluster('one'));
      const pushed = lab.read('root-cert.pem');
      await waitForBundle(lab.cluster('one'), (text) => text !== pushed);
      return undefined;
    }),
    fix: 'as printed',
  },
  {
    id: 'MESH301-foreign',
    title: 'another root and CA were written to cacerts; istiod rejects them until it restarts',
    cluster: 'one',
    says: /cluster CA: [0-9A-F:]+/,
    seed: async (lab) => {
      await putForeign(lab, 'one');
      return undefined;
    },
    fix: 'as printed',
  },
  {
    id: 'MESH301-foreign-and-restarted',
    title: 'another root and CA were written to cacerts and istiod restarted',
    cluster: 'one',
    says: /cluster CA: [0-9A-F:]+/,
    seed: async (lab) => {
      const {certificate} = await putForeign(lab, 'one');
      await restart(lab.cluster('one'));
      await waitForBundle(lab.cluster('one'), (text) => text === certificate.pem);
      return undefined;
    },
    fix: 'as printed',
  },
  {
    id: 'MESH301-other-folder',
    title: 'ROOT_CA_DIR names another directory than the one at which cacerts is mounted',
    cluster: 'one',
    says: /reads its CA from \/var\/other-cacerts, where no volume is mounted/,
    seed: inTurn(
      inIstioSystem('one', 'set', 'env', 'deployment/istiod', 'ROOT_CA_DIR=/var/other-cacerts'),
      async (lab) => {
        await rolledOut(lab.cluster('one'));
        const pushed = lab.read('root-cert.pem');
        await waitForBundle(lab.cluster('one'), (text) => text !== pushed);
        return undefined;
      },
    ),
    fix: {
      person: 'corrects the installation',
      act: async (lab) => {
        const one = lab.cluster('one');
        await one.kubectl('-n', 'istio-system', 'set', 'env', 'deployment/istiod', 'ROOT_CA_DIR-');
        await rolledOut(one);
        const pushed = lab.read('root-cert.pem');
        await waitForBundle(one, (text) => text === pushed);
      },
    },
  },
  {
    id: 'MESH301-extra-keys',
    title: 'Secret cacerts was created from a whole directory, with a request and a README',
    cluster: 'one',
    result: 'warning',
    says: /unexpected data keys: README\.md, cluster-ca\.csr/,
    seed: async (lab) => {
      const patch = JSON.stringify({stringData: {'README.md': 'The CA of one', 'cluster-ca.csr': 'a request'}});
      await lab.cluster('one').kubectl('-n', 'istio-system', 'patch', 'secret', 'cacerts', '--type=merge', '-p', patch);
      return undefined;
    },
    fix: 'as printed',
  },
  {
    id: 'MESH301-other-cluster',
    title: "the other cluster's CA was written to cacerts",
    cluster: 'one',
    says: /cluster CA: [0-9A-F:]+/,
    seed: async (lab) => {
      await createCacerts(lab, 'one', 'two');
      return undefined;
    },
    fix: 'as printed',
  },
  {
    id: 'MESH301-not-pushed',
    title: 'the CA was renewed on disk and not pushed',
    cluster: 'one',
    says: /cluster CA: [0-9A-F:]+/,
    seed: async (lab) => {
      await lab.cli.must('certs', 'generate', 'one', '--renew', '--yes');
      return undefined;
    },
    fix: 'as printed',
  },
  {
    id: 'MESH301-key-missing',
    title: 'Secret cacerts was created without ca-key.pem',
    cluster: 'one',
    says: /lacks ca-key\.pem/,
    seed: patched(() => [{op: 'remove', path: '/data/ca-key.pem'}]),
    fix: 'as printed',
  },
  {
    id: 'MESH301-other-key',
    title: "cacerts has the other cluster's key",
    cluster: 'one',
    says: /key in the Secret belongs to another certificate/,
    seed: patched((lab) => [{op: 'replace', path: '/data/ca-key.pem', value: encoded(lab, 'two', 'ca-key.pem')}]),
    fix: 'as printed',
  },
  {
    id: 'MESH301-left-over-tls-crt',
    title: "an earlier tool's tls.crt is left in cacerts",
    cluster: 'one',
    says: /tls\.crt/,
    seed: patched((lab) => [{op: 'add', path: '/data/tls.crt', value: encoded(lab, 'two', 'ca-cert.pem')}]),
    fix: 'as printed',
  },
  {
    id: 'MESH410-revocation-list',
    title: "another CA's revocation list was written to cacerts",
    cluster: 'one',
    says: /ca-crl\.pem has no list signed by/,
    seed: async (lab) => {
      const value = Buffer.from(crlOf(await tinyRoot())).toString('base64');
      await patched(() => [{op: 'add', path: '/data/ca-crl.pem', value}])(lab);
      // What says that the cluster is to have no list stays in the work directory.
      return () => rm(lab.path('one', 'ca-crl.pem'));
    },
    fix: 'as printed',
  },
  {
    id: 'MESH301-encoded-twice',
    title: 'the files in cacerts are base64-encoded twice',
    cluster: 'one',
    says: /./,
    seed: async (lab) => {
      const data = (await dataOf(lab.cluster('one'), 'secrets', 'cacerts')) ?? {};
      const twice = Object.entries(data).map(([key, text]) => ({
        op: 'replace',
        path: `/data/${key}`,
        value: Buffer.from(text).toString('base64'),
      }));
      return patched(() => twice)(lab);
    },
    fix: 'as printed',
  },
  {
    id: 'MESH301-wrong-type',
    title: 'cacerts was created with `kubectl create secret tls`',
    cluster: 'one',
    says: /./,
    seed: async (lab) => {
      await deleteCacerts(lab);
      const [certificate, key] = [lab.path('one', 'ca-cert.pem'), lab.path('one', 'ca-key.pem')];
      return inIstioSystem('one', 'create', 'secret', 'tls', 'cacerts', `--cert=${certificate}`, `--key=${key}`)(lab);
    },
    fix: 'as printed',
  },
  {
    id: 'MESH301-immutable',
    title: 'cacerts was made immutable, and the CA was renewed on disk afterwards',
    cluster: 'one',
    says: /cluster CA: [0-9A-F:]+/,
    seed: inTurn(
      patched(() => [{op: 'add', path: '/immutable', value: true}]),
      async (lab) => {
        await lab.cli.must('certs', 'generate', 'one', '--renew', '--yes');
        return undefined;
      },
    ),
    fix: 'as printed',
  },
  {
    id: 'MESH301-encrypted-key',
    title: 'the key in cacerts is encrypted, and istiod cannot start with it',
    cluster: 'one',
    says: /key/,
    seed: async (lab) => {
      const file = join(lab.setting.sandbox.dir, 'encrypted-key.pem');
      await lab.type(
        `openssl pkcs8 -topk8 -v2 aes-256-cbc -in one/ca-key.pem -passout env:KUBECTL_MESH_PASSPHRASE -out '${file}'`,
      );
      const value = (await lab.type(`base64 -w0 '${file}'`)).trim();
      await patched(() => [{op: 'replace', path: '/data/ca-key.pem', value}])(lab);
      const on = lab.cluster('one');
      await on.kubectl('-n', 'istio-system', 'rollout', 'restart', 'deployment/istiod');
      await eventually('a crash loop', async () => {
        const pods = await on.kubectl('-n', 'istio-system', 'get', 'pod', '-l', 'app=istiod', '-o', 'json');
        return pods.includes('CrashLoopBackOff') || undefined;
      });
      return undefined;
    },
    fix: 'as printed',
  },
];
