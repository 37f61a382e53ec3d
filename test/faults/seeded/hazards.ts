/** Known issues of Istio versions (MESH410) that follow from what people do to remote secrets and revocation lists. */
import {createPrivateKey} from 'node:crypto';
import {rmSync, writeFileSync} from 'node:fs';
import {parseCertificates} from '../../../src/domain/x509/certificate.js';
import {passphrase} from '../../e2e/harness/mesh-cli.js';
import {eventually, HarnessError} from '../../e2e/harness/processes.js';
import {fetchText} from '../../e2e/harness/port-forward.js';
import {crlOf} from '../../helpers/crl.js';
import {dataOf, editData, inIstioSystem, inTurn, restart} from '../harness/by-hand.js';
import type {Fault} from '../harness/fault.js';
import type {Lab} from '../harness/lab.js';
import {image, isHealthy} from './images.js';

const secret = 'istio-remote-secret-two';

/** istiod of cluster one runs this image for the time of a fault. */
function temporarily(tag: string): Fault['seed'] {
  return async (lab) => {
    await image('one', tag)(lab);
    return async () => {
      await image('one', '1.31.0')(lab);
      await isHealthy(lab);
    };
  };
}

/** The istiod of cluster one has started since it reads cluster two. */
const linked: Fault['seed'] = async (lab) => {
  const one = lab.cluster('one');
  await restart(one);
  await eventually('one has synced two', async () => {
    const pod = await one.kubelet?.readyIstiod();
    const known = await fetchText(pod?.ports[15014] ?? 0, '/debug/clusterz');
    return /"two"[^}]*"synced"/.test(known) || undefined;
  });
  return undefined;
};

/** The kubeconfig of two becomes another text, as with a new token: the same text is no change for istiod. */
const rotated: Fault['seed'] = async (lab) => {
  await editData(lab.cluster('one'), `/api/v1/namespaces/istio-system/secrets/${secret}`, (data) => {
    data.two = Buffer.from(`${Buffer.from(data.two ?? '', 'base64').toString('utf8')}# rotated\n`).toString('base64');
  });
  return undefined;
};

/**
 * The process that runs does not have these defects, whatever its image says. So it has lost nothing, and only one that was not
 * queried is suspected.
 */
const unqueried = ['--no-live', '--only', 'MESH410'];

/** A CA of the lab, with its key. */
function signerOf(lab: Lab, certificateFile: string, keyFile: string) {
  const [certificate] = parseCertificates(lab.read(...certificateFile.split('/')), certificateFile).certificates;
  if (!certificate) throw new HarnessError(`${certificateFile} holds no certificate`);
  return {certificate, key: createPrivateKey({key: lab.read(...keyFile.split('/')), passphrase})};
}

/** Pushes lists that revoke no certificate, which istiod distributes to proxies. */
const revoking: Fault['seed'] = async (lab) => {
  const lists =
    crlOf(signerOf(lab, 'one/ca-cert.pem', 'one/ca-key.pem')) + crlOf(signerOf(lab, 'root-cert.pem', 'root-key.pem'));
  writeFileSync(lab.path('one', 'ca-crl.pem'), lists);
  await lab.cli.must('trust', 'push', 'one', '--yes');
  await eventually('istiod of one publishes the lists', async () => {
    const data = await dataOf(lab.cluster('one'), 'configmaps', 'istio-ca-crl');
    return (data?.['ca-crl.pem'] ?? '') !== '' || undefined;
  });
  return undefined;
};

export const hazardFaults: readonly Fault[] = [
  {
    id: 'MESH410-endpoints-lost',
    title: 'a remote secret changed under an istiod that then loses the endpoints of its cluster',
    cluster: 'one',
    result: 'warning',
    says: /remote secret for two changed .* requests to services in that cluster fail/,
    seed: inTurn(temporarily('1.30.3'), linked, isHealthy, rotated),
    verifyArgs: unqueried,
    fix: 'as printed',
  },
  {
    id: 'MESH410-changes-unread',
    title: 'a remote secret changed under an istiod that then waits for itself',
    cluster: 'one',
    result: 'warning',
    says: /remote secret for two changed .* follows no change/,
    seed: inTurn(temporarily('1.30.2'), linked, isHealthy, rotated),
    verifyArgs: unqueried,
    fix: 'as printed',
  },
  {
    id: 'MESH410-gateways-lost',
    title: 'a remote secret changed under an istiod that then loses the gateway of its network',
    shape: 'networks',
    cluster: 'one',
    result: 'warning',
    says: /remote secret for two changed .* requests to that network/,
    seed: inTurn(temporarily('1.30.3'), linked, isHealthy, rotated),
    verifyArgs: unqueried,
    fix: 'as printed',
  },
  {
    id: 'MESH410-lists-not-cleared',
    title: 'the revocation lists were removed from cacerts, and istiod still publishes them',
    cluster: 'one',
    result: 'warning',
    says: /istio-ca-crl contains revocation lists/,
    seed: inTurn(revoking, async (lab) => {
      rmSync(lab.path('one', 'ca-crl.pem'));
      const patch = JSON.stringify([{op: 'remove', path: '/data/ca-crl.pem'}]);
      await inIstioSystem('one', 'patch', 'secret', 'cacerts', '--type=json', '-p', patch)(lab);
      return undefined;
    }),
    fix: 'as printed',
  },
];
