/** What a running istiod takes over of a change of cacerts, by version. */
import {factFor, type Since} from './since.js';
import type {IstioVersion} from './version.js';

/** An environment variable of istiod that decides, and what holds when it is not set. */
export interface Switch {
  readonly env: string;
  readonly unset: boolean;
}

/** What a running istiod that was started with cacerts takes over without a restart. */
export interface ReloadRule {
  /** Another cluster CA under the same root. */
  readonly clusterCa: 'never' | 'always' | Switch;
  /**
   * Another root bundle, which needs `ISTIO_MULTIROOT_MESH=true` wherever it is not `never`. `byte-substring`: the bytes
   * of one bundle must contain the other's; `certificate-subset`: one set of certificates must contain the other. A
   * refused root change refuses the whole change, the new cluster CA included.
   */
  readonly root: 'never' | 'byte-substring' | 'certificate-subset';
}

/** How istiod reloads cacerts. A self-signed istiod watches nothing: it needs a restart in every version. */
export const reloadRules: readonly [Since<ReloadRule>, ...Since<ReloadRule>[]] = [
  {
    from: '1.6',
    value: {clusterCa: 'never', root: 'never'},
    source: '1.11.8:pilot/pkg/bootstrap/istio_ca.go has no watcher',
  },
  {
    from: '1.12',
    value: {clusterCa: 'never', root: 'never'},
    source:
      '1.12.9:pilot/pkg/bootstrap/istio_ca.go filters on file names, which the symlink swap of a Secret volume does not touch',
  },
  {
    from: '1.14',
    value: {clusterCa: {env: 'AUTO_RELOAD_PLUGIN_CERTS', unset: false}, root: 'never'},
    source: '1.17.8:pilot/pkg/bootstrap/istio_ca.go, pilot/pkg/features/pilot.go',
  },
  {
    from: '1.18',
    value: {clusterCa: {env: 'AUTO_RELOAD_PLUGIN_CERTS', unset: true}, root: 'never'},
    source: '1.18.0:pilot/pkg/features/pilot.go',
  },
  {
    from: '1.19',
    value: {clusterCa: 'always', root: 'never'},
    source: 'releasenotes/notes/drop-reload-plugin-certs.yaml, 1.19.10:pilot/pkg/bootstrap/istio_ca.go',
  },
  {
    from: '1.20',
    value: {clusterCa: 'always', root: 'byte-substring'},
    source: '1.20.0 and 1.29.6:pilot/pkg/bootstrap/istio_ca.go',
  },
  {
    from: '1.30',
    value: {clusterCa: 'always', root: 'certificate-subset'},
    source: '1.30.0:pilot/pkg/bootstrap/istio_ca.go',
  },
];

/** The reload rule of a version. */
export function reloadRule(version: IstioVersion): ReloadRule {
  return factFor(reloadRules, version).value;
}
