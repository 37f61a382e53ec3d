/** A front end of an API server that hides the objects of one kind, as a broken cache between the two would. */
import {execFileSync} from 'node:child_process';
import {mkdtempSync, readFileSync, rmSync} from 'node:fs';
import {createServer, request, type Server} from 'node:https';
import type {AddressInfo} from 'node:net';
import {tmpdir} from 'node:os';
import {join} from 'node:path';

/** A listening one. */
export interface PartialApiServer {
  readonly url: string;
  /** The CA of its certificate, as a kubeconfig has it. */
  readonly caData: string;
  /** From now on, nothing is hidden from new requests. */
  showAll(): void;
  close(): void;
}

/** Starts one before an API server. `plural`: of the kind that it hides. */
export async function servePartly(server: string, plural: string): Promise<PartialApiServer> {
  const {key, cert} = ownCertificate();
  let isHiding = true;
  const front: Server = createServer({key, cert}, (incoming, outgoing) => {
    const url = new URL(incoming.url ?? '/', server);
    if (isHiding && url.pathname.endsWith(`/${plural}`)) {
      outgoing.writeHead(200, {'content-type': 'application/json'});
      if (!url.searchParams.has('watch')) outgoing.end(JSON.stringify(emptyList));
      else if (url.searchParams.get('sendInitialEvents') === 'true') outgoing.write(`${JSON.stringify(endOfList)}\n`);
      else outgoing.flushHeaders();
      return;
    }
    const {method, headers} = incoming;
    const forwarded = request(url, {method, headers, rejectUnauthorized: false}, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      outgoing.flushHeaders();
      answer.pipe(outgoing);
    });
    forwarded.on('error', () => outgoing.destroy());
    outgoing.on('close', () => forwarded.destroy());
    incoming.pipe(forwarded);
  });
  await new Promise<void>((resolve) => front.listen(0, '127.0.0.1', resolve));
  return {
    url: `https://127.0.0.1:${String((front.address() as AddressInfo).port)}`,
    caData: Buffer.from(cert).toString('base64'),
    showAll: () => {
      isHiding = false;
    },
    close: () => {
      front.closeAllConnections();
      front.close();
    },
  };
}

const apiVersion = 'discovery.k8s.io/v1';
const emptyList = {kind: 'EndpointSliceList', apiVersion, metadata: {resourceVersion: '1'}, items: []};
/** What ends the list at the start of a watch (kubernetes.io: reference/using-api/api-concepts, "Streaming lists"). */
const endOfList = {
  type: 'BOOKMARK',
  object: {
    kind: 'EndpointSlice',
    apiVersion,
    metadata: {resourceVersion: '1', annotations: {'k8s.io/initial-events-end': 'true'}},
  },
};

function ownCertificate(): {readonly key: string; readonly cert: string} {
  const folder = mkdtempSync(join(tmpdir(), 'km-front-'));
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', '/CN=front'];
  const files = ['-keyout', key, '-out', cert, '-addext', 'subjectAltName=IP:127.0.0.1'];
  execFileSync('openssl', ['req', '-x509', ...kind, ...files], {stdio: 'ignore'});
  const texts = {key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8')};
  rmSync(folder, {recursive: true});
  return texts;
}
