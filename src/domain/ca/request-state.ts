/** What the request of a cluster amounts to: CLUSTER/request/, between `certs request` and `certs import`. Pure. */
import {type ErrorReport, MeshError, problem, recover} from '../errors.js';
import {clusterLayout} from '../mesh/layout.js';
import type {Sensitive} from '../sensitive.js';
import {advice, type Hint, kubectlMesh, words} from '../suggest/suggestion.js';
import {otherOwner} from './cluster-of-ca.js';
import {type CertificationRequest, parseRequest} from '../x509/csr.js';
import {attributeOf} from '../x509/name.js';
import {readPrivateKey} from '../keys/private-key.js';

/** The two files. What is not there is undefined. */
export interface RequestFiles {
  readonly key: Sensitive<string> | undefined;
  /** The request's PEM. */
  readonly csr: string | undefined;
}

/** What lies in CLUSTER/request. */
export type RequestState =
  | {readonly kind: 'absent'}
  /** Key and request fit each other. */
  | {readonly kind: 'pending'; readonly request: CertificationRequest; readonly csr: string}
  /** The key is there, its request can be made again. `spki`: SHA-256 of the SubjectPublicKeyInfo; `name`: `ecdsa-p256`, …. */
  | {readonly kind: 'key-only'; readonly key: {readonly spki: string; readonly name: string}}
  /** The request is there, its key is kept elsewhere: a git checkout. */
  | {readonly kind: 'request-only'; readonly request: CertificationRequest; readonly csr: string}
  | {readonly kind: 'conflict'; readonly error: ErrorReport; readonly keyThere: boolean};

/** Judges the files by themselves and against the names of the mesh's clusters. */
export function requestStateOf(cluster: string, files: RequestFiles, declared: readonly string[]): RequestState {
  const paths = clusterLayout(cluster);
  const again = advice`Make a new key and request with: ${kubectlMesh('certs request', words`${cluster} --renew`)}`;
  const conflict = (message: string, ...hints: readonly Hint[]): RequestState => ({
    kind: 'conflict',
    error: problem('WORKDIR_CONFLICT', message, ...hints, again),
    keyThere: files.key !== undefined,
  });
  const judge = (): RequestState => {
    const key = files.key && readRequestKey(files.key, paths.requestKey);
    const request = files.csr === undefined ? undefined : parseRequest(files.csr, paths.requestCsr);
    if (!request || files.csr === undefined) return key ? {kind: 'key-only', key} : {kind: 'absent'};
    const other = otherOwner(attributeOf(request.subject, 'L'), cluster, declared);
    if (other !== undefined) {
      return conflict(
        `${paths.requestCsr} ("${request.subject.text}") is the request of ${other}, not of ${cluster}`,
        `If the directories ${cluster} and ${other} changed places, move them back`,
      );
    }
    if (!key) return {kind: 'request-only', request, csr: files.csr};
    if (key.spki !== request.spki) return conflict(`${paths.requestKey} is not the key of ${paths.requestCsr}`);
    return {kind: 'pending', request, csr: files.csr};
  };
  return recover(judge, ({message}) => conflict(message));
}

/** Reads the key of a request. Throws `NOT_PEM`, `NOT_A_KEY`, `UNSUPPORTED_KEY` for one that istiod would not load. */
function readRequestKey(pem: Sensitive<string>, what: string) {
  const {spki, description, refusal} = readPrivateKey(pem, what);
  if (refusal !== undefined || spki === undefined || !description) {
    throw new MeshError('UNSUPPORTED_KEY', `${what}: ${refusal ?? 'the key cannot be used'}`);
  }
  return {spki, name: description.name};
}
