/** The files of the root CA, and the roots in the cluster directories. */
import {clusterLayout, layout} from '../domain/mesh/layout.js';
import {defined} from '../domain/defined.js';
import {readableRoots, type TrustStore, trustStoreOf} from '../domain/ca/trust-store.js';
import type {RootFiles} from '../domain/ca/workdir-state.js';
import type {Deps} from '../engine/deps.js';
import type {SignerState} from '../signers/signer-module.js';

/** The roots in a cluster's directory. */
export interface ClusterTrustStore extends TrustStore {
  readonly cluster: string;
}

/** Roots in all cluster directories, selected or not. Unreadable files are reported elsewhere. */
export async function findClusterRoots({workspace}: Pick<Deps, 'workspace'>): Promise<readonly ClusterTrustStore[]> {
  const names = await workspace.list('.');
  const found = await Promise.all(
    names.map(async (name) => {
      if ((await workspace.stat(name))?.kind !== 'directory') return [];
      const text = await workspace.readText(clusterLayout(name).rootCert);
      if (text === undefined) return [];
      // An unreadable file counts too: it must prevent a new root from being created.
      return [{cluster: name, ...trustStoreOf(readableRoots(text))}];
    }),
  );
  return found.flat();
}

/** The root's files, completed from a local signer and `--root`; `from`: the source of a missing root-cert.pem. */
export function rootFiles(
  {certificate, key}: Pick<RootFiles, 'certificate' | 'key'>,
  local: Extract<SignerState, {kind: 'key-file'}> | undefined,
  given: TrustStore | undefined,
): RootFiles & {readonly from?: string} {
  // Without a local signer, a root-key.pem in the work directory signs nothing.
  if (!local) return {certificate, key: undefined};
  const {keyPath, certificates} = local;
  const sources: readonly {readonly text: string | undefined; readonly from?: string}[] = [
    {text: certificate},
    {text: local.certificate, from: 'the directory of the root key'},
    {text: given?.text, from: '--root'},
    {text: certificates.find(({selfSigned}) => selfSigned)?.pem, from: 'the certificate in trust.signer'},
  ];
  const source = sources.find(({text}) => text !== undefined);
  return defined({
    certificate: source?.text,
    from: source?.from,
    // A key that a Makefile wrote under another name is copied by this run and used from then on.
    key: local.key ?? (keyPath === layout.rootKey ? key : undefined),
    keyPath,
    certificates,
  });
}
