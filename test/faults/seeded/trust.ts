/** Faults of trust in the clusters: MESH3xx as the API server shows it. */
import {createPrivateKey} from 'node:crypto';
import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {parseCertificates} from '../../../src/domain/pki/certificate.js';
import {memorySigner, tinyClusterCa, tinyRoot, type TinyCa, type TinyOptions} from '../../helpers/tiny-ca.js';
import {at} from '../../e2e/harness/mesh.js';
import {eventually} from '../../e2e/harness/processes.js';
import {dataOf, encoded, inIstioSystem, inTurn, restart, waitForBundle} from '../harness/by-hand.js';
import type {SecretData} from '../healthy/by-guide.js';
import {issuerDirectory, tlsData} from '../healthy/cert-manager.js';
import {createCacerts, putCacerts} from '../harness/cas.js';
import type {Fault} from '../harness/fault.js';
import type {Lab} from '../harness/lab.js';

const deleteCacerts = inIstioSystem('one', 'delete', 'secret', 'cacerts');

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

const cacertsFaults: readonly Fault[] = [
  {
    id: 'MESH301-deleted',
    title: 'Secret cacerts was deleted',
    cluster: 'one',
    says: /no Secret istio-system\/cacerts/,
    seed: deleteCacerts,
    mend: 'as printed',
  },
  {
    id: 'MESH301-deleted-and-restarted',
    title: 'Secret cacerts was deleted and istiod restarted: it signs with a root of its own',
    cluster: 'one',
    says: /no Secret istio-system\/cacerts/,
    seed: inTurn(deleteCacerts, async (lab) => {
      await restart(lab.cluster('one'));
      const pushed = lab.read('root-cert.pem');
      await waitForBundle(lab.cluster('one'), (text) => text !== pushed);
      return undefined;
    }),
    mend: 'as printed',
  },
  {
    id: 'MESH301-foreign',
    title: 'another root and CA were put into cacerts; istiod refuses them until its next start',
    cluster: 'one',
    says: /cluster CA: .* in the cluster/,
    seed: async (lab) => {
      await putForeign(lab, 'one');
      return undefined;
    },
    mend: 'as printed',
  },
  {
    id: 'MESH301-foreign-and-restarted',
    title: 'another root and CA were put into cacerts and istiod restarted',
    cluster: 'one',
    says: /cluster CA: .* in the cluster/,
    seed: async (lab) => {
      const {certificate} = await putForeign(lab, 'one');
      await restart(lab.cluster('one'));
      await waitForBundle(lab.cluster('one'), (text) => text === certificate.pem);
      return undefined;
    },
    mend: 'as printed',
  },
  {
    id: 'MESH301-other-cluster',
    title: "the other cluster's CA was put into cacerts",
    cluster: 'one',
    says: /cluster CA: .* in the cluster/,
    seed: async (lab) => {
      await createCacerts(lab, 'one', 'two');
      return undefined;
    },
    mend: 'as printed',
  },
  {
    id: 'MESH301-not-pushed',
    title: 'the CA was renewed on disk and not pushed',
    cluster: 'one',
    says: /cluster CA: .* in the cluster/,
    seed: async (lab) => {
      await lab.cli.must('certs', 'generate', 'one', '--renew', '--yes');
      return undefined;
    },
    mend: 'as printed',
  },
  {
    id: 'MESH301-key-missing',
    title: 'Secret cacerts was made without ca-key.pem',
    cluster: 'one',
    says: /lacks ca-key\.pem/,
    seed: patched(() => [{op: 'remove', path: '/data/ca-key.pem'}]),
    mend: 'as printed',
  },
  {
    id: 'MESH301-other-key',
    title: "the key in cacerts is the other cluster's",
    cluster: 'one',
    says: /key in the Secret belongs to another certificate/,
    seed: patched((lab) => [{op: 'replace', path: '/data/ca-key.pem', value: encoded(lab, 'two', 'ca-key.pem')}]),
    mend: 'as printed',
  },
  {
    id: 'MESH301-left-over-tls-crt',
    title: 'tls.crt of an earlier tool is left in cacerts',
    cluster: 'one',
    says: /tls\.crt/,
    seed: patched((lab) => [{op: 'add', path: '/data/tls.crt', value: encoded(lab, 'two', 'ca-cert.pem')}]),
    mend: 'as printed',
  },
  {
    id: 'MESH301-encoded-twice',
    title: 'the files in cacerts are base64 of base64',
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
    mend: 'as printed',
  },
  {
    id: 'MESH301-wrong-type',
    title: 'cacerts was made with `kubectl create secret tls`',
    cluster: 'one',
    says: /./,
    seed: async (lab) => {
      await deleteCacerts(lab);
      const [certificate, key] = [lab.path('one', 'ca-cert.pem'), lab.path('one', 'ca-key.pem')];
      return inIstioSystem('one', 'create', 'secret', 'tls', 'cacerts', `--cert=${certificate}`, `--key=${key}`)(lab);
    },
    mend: 'as printed',
  },
  {
    id: 'MESH301-immutable',
    title: 'cacerts was made immutable, and the CA renewed on disk since',
    cluster: 'one',
    says: /cluster CA: .* in the cluster/,
    seed: inTurn(
      patched(() => [{op: 'add', path: '/immutable', value: true}]),
      async (lab) => {
        await lab.cli.must('certs', 'generate', 'one', '--renew', '--yes');
        return undefined;
      },
    ),
    mend: 'as printed',
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
    mend: 'as printed',
  },
];

const admission = '/apis/admissionregistration.k8s.io/v1';

/** A platform team's rule: ConfigMaps say who owns them. */
const ownedConfigMaps = {
  apiVersion: 'admissionregistration.k8s.io/v1',
  kind: 'ValidatingAdmissionPolicy',
  metadata: {name: 'owned'},
  spec: {
    failurePolicy: 'Fail',
    matchConstraints: {
      resourceRules: [{apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['configmaps']}],
    },
    validations: [{expression: "'owner' in object.metadata.?labels.orValue({})", message: 'say who owns it'}],
  },
};

/** Where the rule holds. */
function bindingOf(namespace: string): object {
  return {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingAdmissionPolicyBinding',
    metadata: {name: 'owned'},
    spec: {
      policyName: 'owned',
      validationActions: ['Deny'],
      matchResources: {namespaceSelector: {matchLabels: {'kubernetes.io/metadata.name': namespace}}},
    },
  };
}

/** Makes the work directory's CA anew under another root, as somebody does who thinks that this is a renewal. */
async function otherRoot(lab: Lab): Promise<void> {
  await lab.type('rm -f root-*.pem one/*.pem');
  await lab.cli.must('certs', 'generate', 'one');
}

const bundleFaults: readonly Fault[] = [
  {
    id: 'MESH302-root-replaced',
    title: 'root and CA were made anew and put into cacerts; istiod refuses another root while it runs',
    shape: 'alone',
    cluster: 'one',
    says: /another bundle in ConfigMap istio-ca-root-cert/,
    seed: async (lab) => {
      await otherRoot(lab);
      await createCacerts(lab, 'one');
      return undefined;
    },
    mend: 'as printed',
  },
  {
    id: 'MESH302-policy',
    title: 'an admission policy keeps istiod from writing the bundle into a namespace',
    cluster: 'one',
    says: /no bundle \(ConfigMap istio-ca-root-cert\) in regulated/,
    seed: async (lab) => {
      const on = lab.cluster('one');
      await on.kubectl('create', 'namespace', 'regulated');
      await eventually('the bundle', () => dataOf(on, 'configmaps', 'istio-ca-root-cert', 'regulated'));
      await on.api.apply(`${admission}/validatingadmissionpolicies/owned`, ownedConfigMaps);
      await on.api.apply(`${admission}/validatingadmissionpolicybindings/owned`, bindingOf('regulated'));
      const refused = ['-n', 'regulated', 'create', 'configmap', 'probe', '--dry-run=server'];
      await eventually('the policy', () =>
        on.kubectl(...refused).then(
          () => undefined,
          () => true,
        ),
      );
      await on.kubectl('-n', 'regulated', 'delete', 'configmap', 'istio-ca-root-cert');
      return async () => {
        await on.kubectl('delete', 'namespace', 'regulated');
        await on.kubectl('delete', 'validatingadmissionpolicy/owned');
      };
    },
    mend: {
      person: 'makes an exception in the policy, as the refusal that is printed asks for, and restarts istiod',
      act: async (lab) => {
        const on = lab.cluster('one');
        await on.kubectl('delete', 'validatingadmissionpolicybinding/owned');
        await restart(on);
      },
    },
  },
];

const selfSignedFaults: readonly Fault[] = [
  {
    id: 'MESH304-cacerts-came-late',
    title: 'istiod started without cacerts, which came later',
    cluster: 'one',
    says: /istiod loaded its own root/,
    seed: inTurn(deleteCacerts, async (lab) => {
      const on = lab.cluster('one');
      await restart(on);
      const pushed = lab.read('root-cert.pem');
      await waitForBundle(on, (text) => text !== pushed);
      await createCacerts(lab, 'one');
      return async () => {
        await on.kubectl('-n', 'istio-system', 'delete', 'secret', 'istio-ca-secret', '--ignore-not-found');
      };
    }),
    mend: 'as printed',
  },
];

/** The issuer gives a cluster another CA, and istiod loads it. */
function issued(cluster: string, options: TinyOptions, root?: () => Promise<TinyCa>): Fault['seed'] {
  return async (lab) => {
    const issuer = (await root?.()) ?? issuerOf(lab);
    await replaceTls(lab, cluster, tlsData(await tinyClusterCa(issuer, cluster, options), issuer));
    return undefined;
  };
}

/** The root of a lab of shape `issued`. */
function issuerOf({setting}: Lab): TinyCa {
  const read = (file: string): string => readFileSync(join(issuerDirectory(setting), file), 'utf8');
  const key = createPrivateKey(read('root-key.pem'));
  const {certificates} = parseCertificates(read('root-cert.pem'), 'root-cert.pem');
  return {key, certificate: at(certificates, 0), signer: memorySigner(key)};
}

/** Another content of a Secret of type kubernetes.io/tls, and istiod with it. */
async function replaceTls(lab: Lab, cluster: string, data: SecretData): Promise<void> {
  const on = lab.cluster(cluster);
  const encodedData = Object.entries(data).map(([key, text]) => [key, Buffer.from(text).toString('base64')]);
  const patch = [{op: 'replace', path: '/data', value: Object.fromEntries(encodedData) as object}];
  await inIstioSystem(cluster, 'patch', 'secret', 'cacerts', '--type=json', '-p', JSON.stringify(patch))(lab);
  await restart(on);
  await waitForBundle(on, (text) => text === data['ca.crt']);
}

/** The issuer gives the cluster a good CA again. */
function reissue(cluster: string): (lab: Lab) => Promise<void> {
  return async (lab) => {
    await issued(cluster, {})(lab);
  };
}

const issuedFaults: readonly Fault[] = [
  {
    id: 'MESH305-not-renewed',
    title: 'the issuer did not renew the CA of a cluster: it ends in five days',
    shape: 'issued',
    cluster: 'one',
    says: /./,
    seed: issued('one', {days: 5}),
    mend: {person: 'has the issuer renew it', act: reissue('one')},
  },
  {
    id: 'MESH307-two-issuers',
    title: 'the CA of one cluster comes from another issuer: each cluster is well by itself',
    shape: 'issued',
    cluster: 'one',
    peer: 'two',
    alsoAt: ['MESH307 two one'],
    says: /presents/,
    seed: issued('two', {}, () => tinyRoot()),
    mend: {person: 'has the common issuer issue it', act: reissue('two')},
  },
];

const webhookFaults: readonly Fault[] = [
  {
    id: 'MESH306-left-over-tag',
    title: 'the webhook of a revision tag is labelled for a revision that is gone, and its caBundle is of another CA',
    cluster: 'one',
    says: /istio-revision-tag-prod: caBundle holds/,
    seed: async (lab) => {
      const on = lab.cluster('one');
      await on.istioctl('tag', 'set', 'prod', '--revision', 'default');
      const {certificate} = await tinyRoot();
      const name = 'mutatingwebhookconfiguration/istio-revision-tag-prod';
      await on.kubectl('label', name, 'istio.io/rev=1-29-4', '--overwrite');
      const {webhooks} = JSON.parse(await on.kubectl('get', name, '-o', 'json')) as {webhooks: unknown[]};
      const patch = webhooks.map((_, index) => ({
        op: 'replace',
        path: `/webhooks/${String(index)}/clientConfig/caBundle`,
        value: Buffer.from(certificate.pem).toString('base64'),
      }));
      await on.kubectl('patch', name, '--type=json', '-p', JSON.stringify(patch));
      return async () => {
        await on.istioctl('tag', 'remove', 'prod', '-y');
      };
    },
    mend: 'as printed',
  },
  {
    id: 'MESH306-validation-emptied',
    title: "the validating webhook was replaced by another installer's, without a caBundle, for another revision",
    cluster: 'two',
    says: /an empty caBundle/,
    seed: async (lab) => {
      const on = lab.cluster('two');
      const name = 'validatingwebhookconfiguration/istio-validator-istio-system';
      await on.kubectl('label', name, 'istio.io/rev=1-29-4', '--overwrite');
      await on.kubectl(
        'patch',
        name,
        '--type=json',
        '-p',
        '[{"op": "remove", "path": "/webhooks/0/clientConfig/caBundle"}]',
      );
      return undefined;
    },
    mend: 'as printed',
  },
];

/** A Deployment whose pods have a proxy, as the injector marks them; it runs nothing (kwok). */
function withProxy(name: string): object {
  const labels = {app: name, 'service.istio.io/canonical-name': name};
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: {name},
    spec: {
      replicas: 2,
      selector: {matchLabels: {app: name}},
      template: {
        metadata: {labels, annotations: {'sidecar.istio.io/status': '{}'}},
        spec: {containers: [{name, image: name}]},
      },
    },
  };
}

const proxyFaults: readonly Fault[] = [
  {
    id: 'MESH310-second-root',
    title: 'a second root was added and istiod restarted; workloads run since before',
    shape: 'plain',
    cluster: 'one',
    result: 'unknown',
    says: /2 proxies started before \(shop\/shop-/,
    seed: async (lab) => {
      const on = lab.cluster('one');
      await on.kubectl('create', 'namespace', 'shop');
      await on.api.apply('/apis/apps/v1/namespaces/shop/deployments/shop', withProxy('shop'));
      await on.kubectl('-n', 'shop', 'rollout', 'status', 'deployment/shop', '--timeout', '60s');
      const {certificate} = await tinyRoot({meshID: 'mesh1'});
      for (const file of ['root-cert.pem', 'one/root-cert.pem']) lab.edit(file, (text) => text + certificate.pem);
      await lab.cli.must('trust', 'push', 'one', '--restart-istiod', '--allow-root-change', '--yes');
      await waitForBundle(on, (text) => text.includes(certificate.pem.trim()));
      return async () => {
        await on.kubectl('delete', 'namespace', 'shop');
      };
    },
    mend: 'as printed',
  },
];

export const trustFaults: readonly Fault[] = [
  ...cacertsFaults,
  ...bundleFaults,
  ...selfSignedFaults,
  ...issuedFaults,
  ...webhookFaults,
  ...proxyFaults,
];
