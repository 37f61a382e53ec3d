/** Faults of those who have to follow the roots: webhooks and proxies. */
import {tinyRoot} from '../../helpers/tiny-ca.js';
import {deployWithProxy, waitForBundle} from '../harness/by-hand.js';
import type {Fault} from '../harness/fault.js';

export const webhookFaults: readonly Fault[] = [
  {
    id: 'MESH306-left-over-tag',
    title: "a revision tag's webhook is labeled for a removed revision, and its caBundle is another CA's",
    cluster: 'one',
    says: /istio-revision-tag-prod: a caBundle with/,
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
    fix: 'as printed',
  },
  {
    id: 'MESH306-validation-emptied',
    title: 'another installer replaced the validating webhook, without a caBundle, for another revision',
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
    fix: 'as printed',
  },
];

export const proxyFaults: readonly Fault[] = [
  {
    id: 'MESH310-second-root',
    title: 'a second root was added and istiod restarted; workloads have been running since before',
    shape: 'plain',
    cluster: 'one',
    result: 'unknown',
    says: /2 proxies started before that \(shop\/shop-/,
    seed: async (lab) => {
      const on = lab.cluster('one');
      await deployWithProxy(on, 'shop');
      const {certificate} = await tinyRoot({meshID: 'mesh1'});
      for (const file of ['root-cert.pem', 'one/root-cert.pem']) lab.edit(file, (text) => text + certificate.pem);
      await lab.cli.must('trust', 'push', 'one', '--restart-istiod', '--allow-root-change', '--yes');
      await waitForBundle(on, (text) => text.includes(certificate.pem.trim()));
      return async () => {
        await on.kubectl('delete', 'namespace', 'shop');
      };
    },
    fix: 'as printed',
  },
];
