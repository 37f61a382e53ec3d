/** What a person should know of the versions that verify judged by. */
import {defined} from '../defined.js';
import {knowVersion} from '../istio/versions.js';
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
  const where = new Map<string, Set<string | undefined>>();
  for (const {cluster, version} of said) {
    const {note} = knowVersion(version);
    if (note !== undefined) where.set(note, new Set([...(where.get(note) ?? []), cluster]));
  }
  return [...where].map(([message, [first, ...others]]) =>
    defined({cluster: first !== undefined && others.length === 0 ? first : undefined, message}),
  );
}
