/**
 * Commands that fix the findings of several checks. Each is complete: running it as printed makes the check pass. It replaces
 * exactly what the finding reports, so it includes `--yes` instead of prompting again. Commands that are possible only in some
 * meshes are in remedies.ts.
 */
import type {CaSource} from '../istio/ca-source.js';
import {clusterLayout} from '../mesh/layout.js';
import {crlFileName} from '../x509/crl.js';
import type {CaOrigin} from '../facts/facts.js';
import {refuseVersionChange} from '../install/version-change.js';
import {reportedVersion} from '../istio/running-version.js';
import {
  edit,
  fixWith,
  inWorkDir,
  kubectlMesh,
  inspectWith,
  sequence,
  type Suggestion,
  words,
  writeTo,
} from '../suggest/suggestion.js';
import type {ClusterSubject} from './check.js';

type OneCluster = Pick<ClusterSubject, 'cluster'>;
type InMesh = Pick<ClusterSubject, 'cluster' | 'mesh'>;

/**
 * Makes Secret cacerts equal to the work directory. `restart`: istiod cannot load the change without a restart, or that is
 * unknown; the push then restarts only the istiods that need it.
 */
export function pushFix({cluster}: OneCluster, restart = true): Suggestion {
  return kubectlMesh('trust push', [cluster.name, ...(restart ? ['--restart-istiod'] : []), '--yes']);
}

/** Renders install.yaml from mesh.yaml and applies it. `flags`: those that `install apply` requires. */
export function reinstallFix({cluster: {name}}: OneCluster, ...flags: readonly string[]): Suggestion {
  return sequence(kubectlMesh('install render', [name]), kubectlMesh('install apply', [name, ...flags, '--yes']));
}

/** Like {@link reinstallFix}, for a version other than the running one. Without `wanted`: a later one. */
export function upgradeFix(subject: OneCluster, running: string, wanted?: string): Suggestion {
  const isRefused =
    wanted !== undefined &&
    refuseVersionChange(reportedVersion(running), reportedVersion(wanted), {upgrade: true, forceVersion: false}) !==
      undefined;
  return reinstallFix(subject, isRefused ? '--force-version' : '--upgrade');
}

/** Opens mesh.yaml in an editor: only the user knows what it should declare. */
export function editMeshYaml(): Suggestion {
  return edit(inWorkDir('mesh.yaml'));
}

/**
 * Restarts the named istiods (none named: all), which makes them read cacerts again. Only where the restart loads no root that
 * the mesh does not trust yet: otherwise `trust push` must first check for workloads that run under a root it would remove.
 */
export function restartFix({cluster, mesh}: InMesh, ...names: readonly string[]): Suggestion {
  const which = names.length === 0 ? words`deployment -l app=istiod` : names.map((name) => `deployment/${name}`);
  return fixWith.kubectl(cluster, words`-n ${mesh.istio.namespace} rollout restart ${which}`);
}

/** Shows what istiod mounts instead of Secret cacerts: only a user knows whether that or the installation is to change. */
export function inspectSource(source: CaSource, {cluster, mesh}: InMesh): Suggestion {
  const what = source.from === 'secret' ? words`secret/${source.name}` : words`deployment -l app=istiod`;
  return inspectWith.kubectl(cluster, words`-n ${mesh.istio.namespace} describe ${what}`);
}

/**
 * Removes the revocation lists from Secret cacerts. A push saves the previous Secret as cacerts-previous; lists in the work
 * directory (`isPushed`), possibly the only copy, are renamed. An istiod that applies them until it restarts is restarted.
 */
export function removeCrlFix(
  origin: CaOrigin | undefined,
  subject: ClusterSubject,
  isPushed: boolean,
  istiod: {readonly name: string; readonly keepsLists: boolean},
): Suggestion {
  const {cluster, mesh} = subject;
  if (origin?.from === 'mounted') return inspectSource(origin.source, subject);
  if (origin?.from !== 'external') {
    const path = clusterLayout(cluster.name).caCrl;
    const file = inWorkDir(path);
    const aside = isPushed ? [fixWith.run('mv', [file, inWorkDir(`${path}.old`)])] : [];
    return sequence(...aside, writeTo(file, inspectWith.run(':', [])), pushFix(subject));
  }
  const patch = JSON.stringify([{op: 'remove', path: `/data/${crlFileName}`}]);
  const remove = fixWith.kubectl(
    cluster,
    words`-n ${mesh.istio.namespace} patch secret cacerts --type=json -p ${patch}`,
  );
  return istiod.keepsLists ? sequence(remove, restartFix(subject, istiod.name)) : remove;
}
