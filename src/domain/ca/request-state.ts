/** The state of a cluster's request in CLUSTER/request/, between `certs request` and `certs import`. Pure. */
import {type ErrorReport, MeshError, problem, recover} from '../errors.js';
import {clusterLayout} from '../mesh/layout.js';
import type {Sensitive} from '../sensitive.js';
import {advice, type Hint, kubectlMesh, words} from '../suggest/suggestion.js';
import {otherOwner} from './cluster-of-ca.js';
import type {NamedCluster} from '../mesh/istio-name.js';
import {type CertificationRequest, parseRequest} from '../x509/csr.js';
import {attributeOf} from '../x509/name.js';
import {readPrivateKey} from '../keys/private-key.js';

/** The files of a request. Missing files are undefined. */
export interface RequestFiles {
  readonly key: Sensitive<string> | undefined;
  /** The request's PEM. */
  readonly csr: string | undefined;
}

/** The state of CLUSTER/request. */
export type RequestState =
  | {readonly kind: 'absent'}
  /** Key and request match. */
  | {readonly kind: 'pending'; readonly request: CertificationRequest; readonly csr: string}
  /** Only the key exists: the request can be recreated. `spki`: SHA-256 of SubjectPublicKeyInfo; `name`: `ecdsa-p256`, …. */
  | {readonly kind: 'key-only'; readonly key: {readonly spki: string; readonly name: string}}
  /** Only the request exists: its key is elsewhere, as with a git checkout. */
  | {readonly kind: 'request-only'; readonly request: CertificationRequest; readonly csr: string}
  | {readonly kind: 'conflict'; readonly error: ErrorReport; readonly hasKey: boolean};

/** Checks the files, and the cluster name in the request against the mesh's clusters (`declared`). */
export function requestStateOf(cluster: string, files: RequestFiles, declared: readonly NamedCluster[]): RequestState {
  const paths = clusterLayout(cluster);
  const renew = advice`create a new key and request with: ${kubectlMesh('certs request', words`${cluster} --renew`)}`;
  const conflict = (message: string, ...hints: readonly Hint[]): RequestState => ({
    kind: 'conflict',
    error: problem('WORKDIR_CONFLICT', message, ...hints, renew),
    hasKey: files.key !== undefined,
  });
  const check = (): RequestState => {
    const key = files.key && readRequestKey(files.key, paths.requestKey);
    const request = files.csr === undefined ? undefined : parseRequest(files.csr, paths.requestCsr);
    if (!request || files.csr === undefined) return key ? {kind: 'key-only', key} : {kind: 'absent'};
    const other = otherOwner(attributeOf(request.subject, 'L'), cluster, declared);
    if (other !== undefined) {
      return conflict(
        `${paths.requestCsr} ("${request.subject.text}") is the request of ${other}, not of ${cluster}`,
        `if the directories ${cluster} and ${other} were swapped, move them back`,
      );
    }
    if (!key) return {kind: 'request-only', request, csr: files.csr};
    if (key.spki !== request.spki) return conflict(`${paths.requestKey} is not the key of ${paths.requestCsr}`);
    return {kind: 'pending', request, csr: files.csr};
  };
  return recover(check, ({message}) => conflict(message));
}

/** Reads a request's key. Throws `NOT_PEM`, `NOT_A_KEY`, and `UNSUPPORTED_KEY` for a key that istiod would not load. */
function readRequestKey(pem: Sensitive<string>, what: string) {
  const {spki, description, refusal} = readPrivateKey(pem, what);
  if (refusal !== undefined || spki === undefined || !description) {
    throw new MeshError('UNSUPPORTED_KEY', `${what}: ${refusal ?? 'the key cannot be used'}`);
  }
  return {spki, name: description.name};
}
