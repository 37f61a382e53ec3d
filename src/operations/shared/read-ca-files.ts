/** Reads a work directory's CA files as they are; judging them is the domain's. */
import {clusterLayout, layout} from '../../domain/mesh/layout.js';
import type {CaFiles} from '../../domain/pki/ca-files.js';
import type {RootFiles} from '../../domain/pki/workdir-state.js';
import type {Workspace} from '../../workspace/workspace.js';

/** One cluster's four files; what is not there is undefined. Throws `WORKDIR_UNREADABLE`. */
export async function readCaFiles(workspace: Workspace, cluster: string): Promise<CaFiles> {
  const paths = clusterLayout(cluster);
  const [caCert, caKey, rootCert, certChain] = await Promise.all([
    workspace.readText(paths.caCert),
    workspace.readSecret(paths.caKey),
    workspace.readText(paths.rootCert),
    workspace.readText(paths.certChain),
  ]);
  return {caCert, caKey, rootCert, certChain, layout: 'pem'};
}

/** root-cert.pem and root-key.pem, the key as it is (usually encrypted). Throws `WORKDIR_UNREADABLE`. */
export async function readRootFiles(workspace: Workspace): Promise<RootFiles> {
  const [certificate, key] = await Promise.all([
    workspace.readText(layout.rootCert),
    workspace.readSecret(layout.rootKey),
  ]);
  return {certificate, key};
}
