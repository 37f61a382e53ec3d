/** Faults of trust in the clusters: MESH3xx as the API server shows it. */
import {eventually} from '../../e2e/harness/processes.js';
import {dataOf, deployWithProxy, inTurn, restart, waitForBundle} from '../harness/by-hand.js';
import {cacertsFaults, deleteCacerts} from './trust-cacerts.js';
import {proxyFaults, webhookFaults} from './trust-followers.js';
import {issuedFaults} from './trust-issued.js';
import {createCacerts} from '../harness/cas.js';
import type {Fault} from '../harness/fault.js';
import type {Lab} from '../harness/lab.js';

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

/** Recreates the work directory's CA under another root, as a user would who takes this for a renewal. */
async function otherRoot(lab: Lab): Promise<void> {
  await lab.type('rm -f root-*.pem one/*.pem');
  await lab.cli.must('certs', 'generate', 'one');
}

const bundleFaults: readonly Fault[] = [
  {
    id: 'MESH302-root-replaced',
    title: 'root and CA were recreated and written to cacerts; a running istiod rejects another root',
    shape: 'alone',
    cluster: 'one',
    says: /a different bundle in ConfigMap istio-ca-root-cert/,
    seed: async (lab) => {
      await otherRoot(lab);
      await createCacerts(lab, 'one');
      return undefined;
    },
    fix: 'as printed',
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
    fix: {
      person: 'adds the exception to the policy that the printed refusal requires, and restarts istiod',
      act: async (lab) => {
        const on = lab.cluster('one');
        await on.kubectl('delete', 'validatingadmissionpolicybinding/owned');
        await restart(on);
      },
    },
  },
];

/** istiod started before cacerts was created. */
const cacertsCameLate: Fault['seed'] = inTurn(deleteCacerts, async (lab) => {
  const on = lab.cluster('one');
  await restart(on);
  const pushed = lab.read('root-cert.pem');
  await waitForBundle(on, (text) => text !== pushed);
  await createCacerts(lab, 'one');
  return async () => {
    await on.kubectl('-n', 'istio-system', 'delete', 'secret', 'istio-ca-secret', '--ignore-not-found');
  };
});

const selfSignedFaults: readonly Fault[] = [
  {
    id: 'MESH304-cacerts-came-late',
    title: 'istiod started before cacerts was created',
    cluster: 'one',
    says: /istiod has loaded its self-signed root/,
    seed: cacertsCameLate,
    fix: 'as printed',
  },
  {
    id: 'MESH304-workloads-run',
    title: "the same, and workloads run under istiod's own root: the push is refused to protect them",
    cluster: 'one',
    says: /istiod has loaded its self-signed root/,
    seed: inTurn(cacertsCameLate, async (lab) => {
      await deployWithProxy(lab.cluster('one'), 'shop');
      return async () => {
        await lab.cluster('one').kubectl('delete', 'namespace', 'shop');
      };
    }),
    fix: {
      person: "accepts the workloads' short outage with the flag that the refusal names, and restarts them",
      act: async (lab) => {
        await lab.cli.must('trust', 'push', 'one', '--restart-istiod', '--allow-root-change', '--yes');
        await lab.cluster('one').kubectl('-n', 'shop', 'rollout', 'restart', 'deployment/shop');
      },
    },
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
