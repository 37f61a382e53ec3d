/** Shared by the tables of `certs generate`: a root in every state, every kind of signer, and facts that require no action. */
import {MeshError, reportError} from '../../../src/domain/errors.js';
import {writePrivateKey} from '../../../src/domain/keys/private-key.js';
import {rootStateOf, type RootState} from '../../../src/domain/ca/workdir-state.js';
import {Sensitive} from '../../../src/domain/sensitive.js';
import type {IssueClusterCa} from '../../../src/engine/action.js';
import type {GenerateFacts, SignerFacts} from '../../../src/operations/certs/generate-facts.js';
import {type TinyCa, tinyRoot} from '../../helpers/tiny-ca.js';
import {daysFromNow, loadedMesh, meshYaml, now, policyCa, rootFile} from './fixtures.js';

export type PresentRoot = Extract<RootState, {kind: 'present'}>;

export const [root, nextRoot, foreign, expiredRoot] = await Promise.all([
  tinyRoot({now, meshID: 'ours'}),
  tinyRoot({now, meshID: 'next'}),
  tinyRoot({now, meshID: 'foreign'}),
  tinyRoot({now: daysFromNow(-100), days: 50, meshID: 'old'}),
]);
export const policy = await policyCa(root, 'policy');

/** The key as node:crypto encrypts it: 2,048 rounds of PBKDF2, which is weak. */
function encrypted({key}: TinyCa): Sensitive<string> {
  return new Sensitive(
    String(key.export({type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'passphrase'})),
  );
}

/** root-cert.pem with these roots, and the first one's key. */
export function rootWith(
  key: 'encrypted' | 'weakly encrypted' | 'clear' | 'missing',
  first: TinyCa = root,
  ...others: readonly TinyCa[]
): PresentRoot {
  const text = key === 'missing' ? undefined : key === 'clear' ? writePrivateKey(first.key) : encrypted(first);
  const state = rootStateOf({certificate: rootFile(first, ...others).text, key: text});
  if (state.kind !== 'present') throw new Error(`the root is ${state.kind}`);
  if (key !== 'encrypted' || !state.keyFacts?.encryption) return state;
  const encryption = {...state.keyFacts.encryption, kdf: 'scrypt', weak: false};
  return {...state, keyFacts: {...state.keyFacts, encryption}};
}

export const noRoot: RootState = {kind: 'absent'};
export const brokenRoot = rootStateOf({certificate: 'broken', key: undefined});

type KeyFile = Extract<SignerFacts, {kind: 'key-file'}>;

/** root-key.pem of the work directory. */
export const keyFile: KeyFile = {
  ...{kind: 'key-file', keyPath: 'root-key.pem', key: undefined, certificate: undefined, certificates: []},
};
/** root-key.pem on a USB drive, beside root-cert.pem with these roots. */
export function stick(...roots: readonly TinyCa[]): KeyFile {
  return {...keyFile, keyPath: '/media/stick/root-key.pem', certificate: rootFile(...roots).text};
}
/** A server or program with a CA, and the chain that it returns. */
export function ready(...upward: readonly TinyCa[]): SignerFacts {
  return {kind: 'ready', what: 'the signer', upward: upward.map(({certificate}) => certificate)};
}
export const rootless: SignerFacts = {kind: 'rootless', what: 'the signer'};
export const idle: SignerFacts = {kind: 'idle'};
export const elsewhere: SignerFacts = {
  kind: 'elsewhere',
  error: reportError(new MeshError('SIGNED_ELSEWHERE', 'a CA elsewhere signs')),
};
export const unavailable: SignerFacts = {
  kind: 'unavailable',
  error: reportError(new MeshError('SIGNER_UNAVAILABLE', 'the signer is sealed')),
};

/** The mesh with these values under `trust` in mesh.yaml. */
export function meshWithTrust(trust = '{keyAlgorithm: ecdsa-p256}'): GenerateFacts['loaded'] {
  return loadedMesh(meshYaml(`trust: ${trust}\n`));
}

/** A mesh with a root and an encrypted key, without clusters that need a change. */
export const healthy: GenerateFacts = {
  ...{loaded: meshWithTrust(), renew: false, unencrypted: false, passphraseAvailable: true},
  ...{root: rootWith('encrypted'), rootSource: undefined, signer: keyFile, clusters: [], existingRoots: []},
  ...{guarded: [], git: {exposed: [], unknown: undefined}, now},
  makefileImport: {files: [], notes: [], warnings: []},
};

/** Cluster CAs to sign. */
export function issuing(...clusters: readonly string[]): readonly IssueClusterCa[] {
  return clusters.map((cluster) => ({
    ...{kind: 'issue-cluster-ca', id: `${cluster}/ca`, cluster, title: 'issue the cluster CA'},
    ...{signer: {type: 'local'}, algorithm: 'ecdsa-p256', validityDays: 730},
    names: {trustDomain: 'cluster.local', servingNames: []},
  }));
}
