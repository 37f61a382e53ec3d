/** Notes on the Istio versions that verify used. */
import {groupBy} from '../group-by.js';
import {defined} from '../defined.js';
import {resolveVersion} from '../istio/versions.js';
import type {Evidence} from '../facts/facts.js';
import {statedVersion} from './control-plane/running-versions.js';

/** A note on a version; `cluster` if it concerns only one cluster. */
export interface VersionNote {
  readonly cluster?: string;
  readonly message: string;
}

/** The notes on declared and running versions, each once: a version that is unknown, or an image that names no release. */
export function versionNotes({mesh, clusters}: Evidence): readonly VersionNote[] {
  const versions: readonly {readonly cluster?: string; readonly version: string}[] = [
    ...(mesh.istio.version === undefined ? [] : [{version: mesh.istio.version}]),
    ...clusters.flatMap(({cluster, facts: {controlPlanes}}) =>
      controlPlanes !== undefined && 'value' in controlPlanes
        ? controlPlanes.value.map((one) => ({cluster: cluster.name, version: statedVersion(one)}))
        : [],
    ),
  ];
  return [...groupBy(versions, ({version}) => resolveVersion(version).note)].flatMap(([message, noted]) => {
    const clusters = new Set(noted.map((one) => one.cluster));
    return message === undefined
      ? []
      : [defined({cluster: clusters.size === 1 ? noted[0].cluster : undefined, message})];
  });
}
