/** Faults on the way to a cluster: API servers, rights, contexts. */
import {rmSync} from 'node:fs';
import type {Fault} from '../harness/fault.js';
import type {Lab} from '../harness/lab.js';
import {becomeAuditor, changeKubeconfig, grant} from '../harness/users.js';

/** The contexts of the user's kubeconfig lead to these clusters, and to no others. */
function contexts(names: Readonly<Record<string, string>>): Fault['seed'] {
  return (lab) => {
    point(lab, names);
    return Promise.resolve(async () => {
      point(lab, {'kwok-one': 'one', 'kwok-two': 'two'});
      rmSync(lab.path('contexts.yaml'), {force: true});
      await lab.waitForGreen();
    });
  };
}

function point(lab: Lab, names: Readonly<Record<string, string>>): void {
  lab.cli.useContexts(Object.fromEntries(Object.entries(names).map(([name, cluster]) => [name, lab.cluster(cluster)])));
}

/** Changes the kubeconfig entry of cluster two; the undo changes it back. */
function brokenKubeconfig(change: (entry: {cluster: Record<string, string>; user: Record<string, string>}) => void): {
  readonly seed: Fault['seed'];
  readonly fix: Fault['fix'];
} {
  return {
    seed: (lab) => {
      changeKubeconfig(lab, (config) => {
        const cluster = config.clusters.find(({name}) => name === 'kwok-two')?.cluster ?? {};
        const user = config.users.find(({name}) => name === 'kwok-two')?.user ?? {};
        change({cluster, user});
      });
      return Promise.resolve(undefined);
    },
    fix: {
      person: 'fixes the kubeconfig',
      act: (lab) => {
        point(lab, {'kwok-one': 'one', 'kwok-two': 'two'});
        return Promise.resolve();
      },
    },
  };
}

const reachFaults: readonly Fault[] = [
  {
    id: 'MESH201-stopped',
    title: 'the API server of a cluster is stopped',
    cluster: 'two',
    result: 'unknown',
    says: /refused/,
    seed: async (lab) => {
      await lab.cluster('two').stop();
      return undefined;
    },
    fix: {person: 'starts the API server', act: (lab) => lab.cluster('two').start()},
  },
  {
    id: 'MESH201-token-ended',
    title: 'the kubeconfig has a token that the API server rejects',
    cluster: 'two',
    result: 'unknown',
    says: /kwok-two/,
    ...brokenKubeconfig(({user}) => {
      for (const key of Object.keys(user)) Reflect.deleteProperty(user, key);
      user.token = 'ended';
    }),
  },
  {
    id: 'MESH201-other-ca',
    title: "the kubeconfig has a CA other than the API server's",
    cluster: 'two',
    result: 'unknown',
    says: /certificate/,
    seed: async (lab) => {
      const ca = await lab.type('base64 -w0 root-cert.pem');
      return brokenKubeconfig(({cluster}) => {
        delete cluster['certificate-authority'];
        cluster['certificate-authority-data'] = ca;
      }).seed(lab);
    },
    fix: brokenKubeconfig(() => undefined).fix,
  },
  {
    id: 'MESH201-context-gone',
    title: "a cluster's context was removed from the kubeconfig",
    cluster: 'two',
    result: 'unknown',
    says: /kwok-two/,
    seed: contexts({'kwok-one': 'one'}),
    fix: brokenKubeconfig(() => undefined).fix,
  },
];

/** A right that was not granted, and what the message must name. That none is called ok: test/e2e/verify-unknown.test.ts. */
function missingRight(face: string, right: string, says: RegExp): Fault {
  return {
    id: `MESH202-${face}`,
    title: `the user has every documented right, except \`${right}\``,
    cluster: 'one',
    result: 'unknown',
    says,
    seed: (lab) => becomeAuditor(lab, 'one', right),
    fix: {person: 'grants the right', act: (lab) => grant(lab.cluster('one'), lab.setting.clusters)},
  };
}

const rightFaults: readonly Fault[] = [
  missingRight('kube-system', 'get namespaces kube-system', /get namespaces "kube-system"/),
  missingRight('deployments', 'list deployments.apps', /list deployments/),
  missingRight('secret', 'get secrets cacerts', /get secrets "cacerts"/),
  missingRight('port-forward', 'create pods/portforward', /create pods\/portforward/),
];

const identityFaults: readonly Fault[] = [
  {
    id: 'MESH203-swapped',
    title: "two clusters' contexts were swapped in the kubeconfig",
    cluster: 'one',
    also: ['two'],
    says: /points to a cluster with UID/,
    seed: contexts({'kwok-one': 'two', 'kwok-two': 'one'}),
    fix: 'as printed',
  },
  {
    id: 'MESH203-rebuilt',
    title: 'a cluster was deleted and recreated with the same name and context',
    cluster: 'two',
    says: /points to a cluster with UID/,
    seed: (lab) => {
      // The record of the deleted cluster: everything else was created again in the new one.
      lab.edit('mesh.yaml', (text) =>
        text.replace(/(name: two\n(?: {4}.*\n)*? {4}uid: )\S+/, '$1deadbeef-0000-4000-8000-000000000000'),
      );
      return Promise.resolve(undefined);
    },
    fix: {
      person: 'accepts the new cluster with `kubectl mesh trust push two --accept-uid`',
      act: async (lab) => {
        await lab.cli.must('trust', 'push', 'two', '--accept-uid', '--yes');
      },
    },
  },
  {
    id: 'MESH204-one-behind-both',
    title: "two clusters' contexts point to one cluster, and a third context to the other",
    says: /one and two are the same cluster/,
    seed: contexts({'kwok-one': 'one', 'kwok-two': 'one', spare: 'two'}),
    fix: 'as printed',
  },
  {
    id: 'MESH204-nothing-recorded',
    title: 'the same, with no UID recorded yet',
    says: /one and two are the same cluster/,
    seed: async (lab) => {
      lab.edit('mesh.yaml', (text) => text.replaceAll(/^ {4}uid: .*\n/gm, ''));
      return contexts({'kwok-one': 'one', 'kwok-two': 'one', spare: 'two'})(lab);
    },
    fix: {
      person: 'finds the context of the other cluster and records it: `kubectl mesh init two=spare`',
      act: async (lab) => {
        await lab.cli.must('init', 'two=spare');
      },
    },
  },
];

export const accessFaults: readonly Fault[] = [...reachFaults, ...rightFaults, ...identityFaults];
