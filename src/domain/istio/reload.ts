/** The changes of cacerts that a running istiod loads, by version. */
import {factFor, since, type Since} from './since.js';
import type {IstioVersion} from './version.js';

/** The changes that istiod, if it started with cacerts, loads without a restart. */
export interface ReloadRule {
  /** A new cluster CA under the same root; for some versions, istiod's environment variable that decides and its default. */
  readonly clusterCa: 'never' | 'always' | {readonly env: string; readonly unset: boolean};
  /**
   * A new root bundle. Unless `never`, this requires `ISTIO_MULTIROOT_MESH=true`. `byte-substring`: the bytes of one bundle
   * must contain those of the other; `certificate-subset`: one set of certificates must contain the other. If istiod rejects
   * the root change, it rejects the whole change, including the new cluster CA.
   */
  readonly root: 'never' | 'byte-substring' | 'certificate-subset';
}

/** The reload rules of all versions. istiod with a self-signed CA watches nothing: it needs a restart in every version. */
export const reloadRules: readonly [Since<ReloadRule>, ...Since<ReloadRule>[]] = [
  since('1.6', {clusterCa: 'never', root: 'never'}, '1.11.8:pilot/pkg/bootstrap/istio_ca.go has no watcher'),
  since(
    '1.12',
    {clusterCa: 'never', root: 'never'},
    '1.12.9:pilot/pkg/bootstrap/istio_ca.go filters on file names, which the symlink swap of a Secret volume does not touch',
  ),
  since(
    '1.14',
    {clusterCa: {env: 'AUTO_RELOAD_PLUGIN_CERTS', unset: false}, root: 'never'},
    '1.17.8:pilot/pkg/bootstrap/istio_ca.go, pilot/pkg/features/pilot.go',
  ),
  since(
    '1.18',
    {clusterCa: {env: 'AUTO_RELOAD_PLUGIN_CERTS', unset: true}, root: 'never'},
    '1.18.0:pilot/pkg/features/pilot.go',
  ),
  since(
    '1.19',
    {clusterCa: 'always', root: 'never'},
    'releasenotes/notes/drop-reload-plugin-certs.yaml, 1.19.10:pilot/pkg/bootstrap/istio_ca.go',
  ),
  since('1.20', {clusterCa: 'always', root: 'byte-substring'}, '1.20.0 and 1.29.6:pilot/pkg/bootstrap/istio_ca.go'),
  since('1.30', {clusterCa: 'always', root: 'certificate-subset'}, '1.30.0:pilot/pkg/bootstrap/istio_ca.go'),
];

/** Returns the reload rule of a version. */
export function reloadRule(version: IstioVersion): ReloadRule {
  return factFor(reloadRules, version).value;
}
