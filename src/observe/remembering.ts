import {installNotes, type Remembering} from '../domain/journal/head.js';
import type {KubeObject} from '../domain/kube/object.js';
import {type CacertsSecret} from '../domain/trust/cacerts.js';
import {cacertsName} from '../domain/istio/names.js';

/** The objects of a cluster that may remember a journal: Secret cacerts, and the notes of `install apply` among ConfigMaps. */
export function rememberingObjects(
  istioNamespace: string,
  cacerts: CacertsSecret | 'absent',
  configMaps: readonly KubeObject[],
): readonly Remembering[] {
  const secret =
    cacerts === 'absent' ? [] : [{where: `Secret ${istioNamespace}/${cacertsName}`, annotations: cacerts.annotations}];
  return [...secret, ...installNotes(configMaps)];
}
