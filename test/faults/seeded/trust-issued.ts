/** Faults of externally issued CAs: cert-manager, or another tool that writes cacerts. */
import {createPrivateKey} from 'node:crypto';
import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {parseCertificates} from '../../../src/domain/x509/certificate.js';
import {memorySigner, tinyClusterCa, tinyRoot, type TinyCa, type TinyOptions} from '../../helpers/tiny-ca.js';
import {at} from '../../e2e/harness/mesh.js';
import {inIstioSystem, restart, waitForBundle} from '../harness/by-hand.js';
import type {SecretData} from '../healthy/by-guide.js';
import {issuerDirectory, tlsData} from '../healthy/cert-manager.js';
import type {Fault} from '../harness/fault.js';
import type {Lab} from '../harness/lab.js';

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

export const issuedFaults: readonly Fault[] = [
  {
    id: 'MESH305-not-renewed',
    title: "the issuer did not renew a cluster's CA: it expires in five days",
    shape: 'issued',
    cluster: 'one',
    says: /./,
    seed: issued('one', {days: 5}),
    fix: {person: 'asks the issuer to renew it', act: reissue('one')},
  },
  {
    id: 'MESH307-two-issuers',
    title: "one cluster's CA comes from another issuer: each cluster alone is healthy",
    shape: 'issued',
    cluster: 'one',
    peer: 'two',
    also: [{cluster: 'two', peer: 'one'}],
    says: /presents/,
    seed: issued('two', {}, () => tinyRoot()),
    fix: {person: 'asks the common issuer to issue it', act: reissue('two')},
  },
];
