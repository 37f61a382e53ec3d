/** What a running istiod takes over of a change of cacerts, by version. */
import {factFor, since, type Since} from './since.js';
import type {IstioVersion} from './version.js';

/** What a running istiod that was started with cacerts takes over without a restart. */
export interface ReloadRule {
  /** Another cluster CA under the same root; or the environment variable of istiod that decides, and what holds without it. */
  readonly clusterCa: 'never' | 'always' | {readonly env: string; readonly unset: boolean};
  /**
   * Another root bundle, which needs `ISTIO_MULTIROOT_MESH=true` wherever it is not `never`. `byte-substring`: the bytes
   * of one bundle must contain the other's; `certificate-subset`: one set of certificates must contain the other. A
   * refused root change refuses the whole change, the new cluster CA included.
   */
  readonly root: 'never' | 'byte-substring' | 'certificate-subset';
}

/** How istiod reloads cacerts. A self-signed istiod watches nothing: it needs a restart in every version. */
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

/** The reload rule of a version. */
export function reloadRule(version: IstioVersion): ReloadRule {
  return factFor(reloadRules, version).value;
}
