/**
 * One certificate request to a real istiod, as an agent sends it, but with whatever is to be wrong about it. The service is
 * istio/api security/v1alpha1/ca.proto; gRPC framing after grpc/grpc doc/PROTOCOL-HTTP2.md.
 */
import {connect} from 'node:http2';
import type {PlayedPod} from './kubelet.js';

/** The certificate request. */
export interface CertificateRequest {
  /** PEM. What is no PEM makes istiod count a CSR_ERROR. */
  readonly csr: string;
  /** A service account token for audience istio-ca; absent: istiod does not know who asks. */
  readonly token?: string;
  /** The cluster that the caller claims to be in. */
  readonly clusterId: string;
}

/** Sends it to this pod's istiod; resolves to the gRPC status, 0 when a certificate came back. */
export function requestCertificate({ports}: PlayedPod, request: CertificateRequest): Promise<number> {
  const {csr, token, clusterId} = request;
  return new Promise((resolve, reject) => {
    const session = connect(`https://127.0.0.1:${String(ports[15012])}`, {rejectUnauthorized: false});
    session.on('error', reject);
    const stream = session.request({
      ':method': 'POST',
      ':path': '/istio.v1.auth.IstioCertificateService/CreateCertificate',
      'content-type': 'application/grpc',
      te: 'trailers',
      clusterid: clusterId,
      ...(token !== undefined && {authorization: `Bearer ${token}`}),
    });
    stream.on('error', reject);
    const answered = (headers: Record<string, unknown>): void => {
      if (headers['grpc-status'] === undefined) return;
      session.close();
      resolve(Number(headers['grpc-status']));
    };
    // An answer without a message carries the status in its only headers.
    stream.on('response', answered);
    stream.on('trailers', answered);
    stream.resume();
    stream.end(frame(csr));
  });
}

/** `string csr = 1` as protobuf, in one gRPC frame. */
function frame(csr: string): Buffer {
  const text = Buffer.from(csr);
  const message = Buffer.concat([Buffer.from([0x0a]), varint(text.length), text]);
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return Buffer.from([...bytes, rest]);
    bytes.push((rest % 128) | 128);
  }
}
