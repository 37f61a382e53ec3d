/**
 * A signer of Kubernetes' CertificateSigningRequests, as cert-manager's or a company's is one: it signs what was approved
 * for its name with a CA of its own, by openssl, and answers with the certificate and that CA's.
 */
import {execFileSync} from 'node:child_process';
import {mkdtempSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import type {Api, Resource} from './api.js';
import type {Cluster} from './cluster.js';

/** A CA in files. */
export interface FileCa {
  readonly certificate: string;
  readonly key: string;
}

interface SigningRequest extends Resource {
  readonly spec: {readonly signerName: string; readonly request: string};
  readonly status?: {
    readonly certificate?: string;
    readonly conditions?: readonly {readonly type: string}[];
  };
}

const collection = '/apis/certificates.k8s.io/v1/certificatesigningrequests';
const pollMs = 100;

const openssl = (...args: readonly string[]): Buffer =>
  execFileSync('openssl', args, {stdio: ['ignore', 'pipe', 'pipe']});

/** A root by openssl, in a new directory. */
export function opensslRoot(directory: string, name = 'Company Root'): FileCa {
  const folder = mkdtempSync(join(directory, 'root-'));
  const ca = {certificate: join(folder, 'root-cert.pem'), key: join(folder, 'root-key.pem')};
  const subject = ['-subj', `/O=Company/CN=${name}`, '-days', '3650', '-sha256', '-nodes'];
  const extensions = ['basicConstraints=critical,CA:TRUE', 'keyUsage=critical,keyCertSign,cRLSign'];
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-keyout', ca.key, '-out', ca.certificate];
  openssl('req', '-x509', ...key, ...subject, ...extensions.flatMap((one) => ['-addext', one]));
  return ca;
}

/** A CA below another one, by openssl. */
export function opensslCa(directory: string, issuer: FileCa, subject: string): FileCa {
  const folder = mkdtempSync(join(directory, 'ca-'));
  const ca = {certificate: join(folder, 'ca-cert.pem'), key: join(folder, 'ca-key.pem')};
  const request = join(folder, 'ca.csr');
  const extensions = join(folder, 'extensions');
  writeFileSync(
    extensions,
    'basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n',
  );
  openssl('ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', ca.key);
  openssl('req', '-new', '-key', ca.key, '-subj', subject, '-out', request);
  const signing = ['-CA', issuer.certificate, '-CAkey', issuer.key, '-days', '365', '-sha256', '-extfile', extensions];
  openssl('x509', '-req', '-in', request, ...signing, '-out', ca.certificate);
  return ca;
}

/** A server's certificate below a CA, with the CA behind it, by openssl. */
export function opensslServer(directory: string, issuer: FileCa, name: string): FileCa {
  const folder = mkdtempSync(join(directory, 'server-'));
  const server = {certificate: join(folder, 'tls.crt'), key: join(folder, 'tls.key')};
  const request = join(folder, 'server.csr');
  openssl('ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', server.key);
  openssl(
    'req',
    '-new',
    '-key',
    server.key,
    '-subj',
    '/O=cert-manager',
    '-addext',
    `subjectAltName=DNS:${name}`,
    '-out',
    request,
  );
  writeFileSync(
    server.certificate,
    signRequest(folder, issuer, readFileSync(request)) + readFileSync(issuer.certificate, 'utf8'),
  );
  return server;
}

/** Starts signing in a cluster; `stop` ends it. */
export function startCsrSigner(cluster: Cluster, signerName: string, ca: FileCa): {stop(): void} {
  const folder = mkdtempSync(join(cluster.sandbox.dir, 'signer-'));
  let stopped = false;
  const sign = async (api: Api, {metadata, spec}: SigningRequest): Promise<void> => {
    const certificate = signRequest(folder, ca, Buffer.from(spec.request, 'base64'));
    const chain = certificate + readFileSync(ca.certificate, 'utf8');
    await api.patch(`${collection}/${metadata.name}/status`, {
      status: {certificate: Buffer.from(chain).toString('base64')},
    });
  };
  const loop = async (): Promise<void> => {
    while (!stopped) {
      try {
        for (const request of await cluster.api.list<SigningRequest>(collection)) {
          const isApproved = request.status?.conditions?.some(({type}) => type === 'Approved') === true;
          if (request.spec.signerName === signerName && isApproved && request.status.certificate === undefined) {
            await sign(cluster.api, request);
          }
        }
      } catch {
        // istiod deletes what it has got, and a cluster that stops answers nothing: the next round sees.
      }
      await new Promise((resolve) => setTimeout(resolve, pollMs));
    }
  };
  void loop();
  return {
    stop() {
      stopped = true;
    },
  };
}

/** A certificate for the request, valid for one day. */
function signRequest(folder: string, ca: FileCa, pem: Buffer): string {
  const request = join(folder, 'request.csr');
  const extensions = join(folder, 'extensions');
  writeFileSync(request, pem);
  writeFileSync(
    extensions,
    'basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature,keyEncipherment\nextendedKeyUsage=serverAuth,clientAuth\n',
  );
  const signing = ['-CA', ca.certificate, '-CAkey', ca.key, '-days', '1', '-sha256', '-extfile', extensions];
  return openssl('x509', '-req', '-in', request, ...signing, '-copy_extensions', 'copy').toString('utf8');
}
