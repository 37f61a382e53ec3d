/** What a person should know of the versions that verify judged by. */
import {groupBy} from '../group-by.js';
import {defined} from '../defined.js';
import {resolveVersion} from '../istio/versions.js';
import type {Evidence} from '../facts/facts.js';

/** Something said of a version; `cluster` where it is about one cluster only. */
export interface VersionNote {
  readonly cluster?: string;
  readonly message: string;
}

/** The notes on what is declared and on what runs, once each: a version that is not known, or that names no release. */
export function versionNotes({mesh, clusters}: Evidence): readonly VersionNote[] {
  const said: readonly {readonly cluster?: string; readonly version: string}[] = [
    ...(mesh.istio.version === undefined ? [] : [{version: mesh.istio.version}]),
    ...clusters.flatMap(({cluster, facts: {controlPlanes}}) =>
      controlPlanes !== undefined && 'value' in controlPlanes
        ? controlPlanes.value.map(({tag}) => ({cluster: cluster.name, version: tag}))
        : [],
    ),
  ];
  return [...groupBy(said, ({version}) => resolveVersion(version).note)].flatMap(([message, seen]) => {
    const clusters = new Set(seen.map((one) => one.cluster));
    return message === undefined
      ? []
      : [defined({cluster: clusters.size === 1 ? seen[0].cluster : undefined, message})];
  });
}
