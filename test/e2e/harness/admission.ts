/** An admission webhook in the test process: the API server asks it before it stores what a test wants to hold up. */
import {readFileSync} from 'node:fs';
import {createServer} from 'node:https';
import type {AddressInfo} from 'node:net';
import type {Cluster} from './cluster.js';
import {opensslRoot, opensslServer} from './csr-signer.js';
import {eventually} from './processes.js';

interface AdmissionReview {
  readonly request: {readonly uid: string; readonly dryRun?: boolean};
}

/**
 * Asks `admit` before the cluster stores a new Secret; what it answers decides. Dry runs are admitted without asking. The
 * webhook is gone when the sandbox is closed.
 */
export async function interceptSecrets(cluster: Cluster, admit: () => boolean): Promise<void> {
  const {sandbox, api} = cluster;
  const ca = opensslRoot(sandbox.dir, 'Webhook');
  const own = opensslServer(sandbox.dir, ca, 'localhost');
  let isRequested = false;
  const server = createServer(
    {cert: readFileSync(own.certificate), key: readFileSync(own.key)},
    (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const {uid, dryRun = false} = (JSON.parse(Buffer.concat(chunks).toString()) as AdmissionReview).request;
        isRequested = true;
        const body = {
          apiVersion: 'admission.k8s.io/v1',
          kind: 'AdmissionReview',
          response: {uid, allowed: dryRun || admit()},
        };
        response.writeHead(200, {'content-type': 'application/json'}).end(JSON.stringify(body));
      });
    },
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  sandbox.onClose(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const {port} = server.address() as AddressInfo;
  await api.create('/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations', {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingWebhookConfiguration',
    metadata: {name: 'test-intercepts'},
    webhooks: [
      {
        name: 'intercepts.test.example',
        clientConfig: {
          url: `https://localhost:${String(port)}/`,
          caBundle: readFileSync(ca.certificate).toString('base64'),
        },
        rules: [{apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['secrets']}],
        sideEffects: 'None',
        admissionReviewVersions: ['v1'],
        failurePolicy: 'Fail',
      },
    ],
  });
  const probe = {apiVersion: 'v1', kind: 'Secret', metadata: {name: 'probe'}};
  await eventually('the API server asks the webhook', async () => {
    await api.create('/api/v1/namespaces/default/secrets?dryRun=All', probe);
    return isRequested || undefined;
  });
}
