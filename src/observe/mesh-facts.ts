/** Facts about the work directory, which need neither a cluster nor a tool. */
import {defined} from '../domain/defined.js';
import type {FileModeFacts, JournalFacts, MeshFactValues} from '../domain/facts/facts.js';
import {parseRootCert} from '../domain/ca/root-cert.js';
import {clusterLayout, layout, workloadsDirectory, type ClusterLayout} from '../domain/mesh/layout.js';
import type {Mesh, MeshCluster} from '../domain/mesh/mesh.js';
import {checkContextsFile, checkMeshFile, renderProblem} from '../domain/mesh/parse.js';
import {printableLine} from '../domain/printable.js';
import {readJournalEvidence} from '../engine/journal-warning.js';
import type {Deps} from '../engine/deps.js';
import type {JournalState} from '../workspace/workspace.js';
import {readGitHistory} from './facts/git-history.js';
import {findKeysInPublicFiles, publicFiles, keyFilesIn} from './facts/key-files.js';
import {readIssuing} from './facts/issuing.js';
import {readRootKey, rootKeyModes} from './facts/root-key.js';

/** The functions that read each fact of the mesh. */
export function meshFactsOf(
  deps: Deps,
  mesh: Mesh,
  clusters: readonly MeshCluster[],
  journal: () => Promise<JournalState>,
): {readonly [Key in keyof MeshFactValues]: () => Promise<MeshFactValues[Key]>} {
  const {workspace} = deps;
  return {
    async declaration() {
      const [text, contexts] = await Promise.all(
        [layout.meshYaml, layout.contextsYaml].map((path) => workspace.readText(path)),
      );
      const parsed = text === undefined ? undefined : checkMeshFile(text);
      const problems = [parsed, contexts === undefined ? undefined : checkContextsFile(contexts)].flatMap((one) =>
        one && 'problems' in one ? one.problems.map(renderProblem) : [],
      );
      if (!parsed) return {present: false, problems, clusters: clusters.length};
      return {present: true, problems, clusters: 'value' in parsed ? (parsed.value.clusters?.length ?? 0) : 0};
    },
    rootKey: () => readRootKey(deps, mesh, clusters),
    issuing: () => readIssuing(deps, mesh),
    async meshRoots() {
      const text = await workspace.readText(layout.rootCert);
      if (text === undefined) return [];
      return parseRootCert(text).roots.map(({fingerprint}) => fingerprint);
    },
    async fileModes() {
      const isPublic = new Set(publicFiles(clusters).map(({path}) => path));
      const modes = [...(await rootKeyModes(deps, mesh)), ...(await keyModes(deps, '.', isPublic))];
      // In sequence, because each directory opens files.
      for (const {name} of clusters) {
        modes.push(
          ...(await directoryModes(deps, clusterLayout(name), isPublic)),
          ...(await workloadModes(deps, name)),
        );
      }
      if (modes.length === 0) return [];
      const own = await workspace.statTarget('.');
      const distinct = [...new Map(modes.map((one) => [one.path, one])).values()];
      return own ? [...distinct, {path: '.', kind: 'parent', mode: own.mode}] : distinct;
    },
    gitHistory: () => readGitHistory(deps, clusters),
    keysInPublicFiles: () => findKeysInPublicFiles(deps.workspace, clusters),
    journal: async () => journalFacts(await journal(), deps),
  };
}

async function journalFacts(
  {present, entries, heads, faults, open, own, inProgress, archived}: JournalState,
  deps: Pick<Deps, 'workspace'>,
): Promise<JournalFacts> {
  const ownOpen = open.filter(({chain}) => chain === own);
  return defined({
    present,
    evidence: present ? undefined : await readJournalEvidence(deps.workspace),
    entries: entries.length,
    chains: heads.size,
    faults,
    open: ownOpen
      .filter((entry) => !inProgress.includes(entry))
      .map(({command, cluster, title, action, time}) =>
        defined({
          command: printableLine(command),
          cluster: cluster === undefined ? undefined : printableLine(cluster),
          title: printableLine(title ?? action),
          time: printableLine(time),
        }),
      ),
    openElsewhere: open.length - ownOpen.length,
    brokenAside: archived.flatMap(({file, faults: [first]}) =>
      first ? [{file: printableLine(file), message: printableLine(first.message)}] : [],
    ),
  });
}

/** The suffix of key files: ours, and those of Istio's Makefiles (k8s-root-key.pem, selfSigned-ca-key.pem). */
const keySuffix = 'key.pem';

/** Every key in a cluster's directory, and the directory itself if it contains one. */
async function directoryModes(
  deps: Deps,
  {directory, requestKey}: ClusterLayout,
  isPublic: ReadonlySet<string>,
): Promise<readonly FileModeFacts[]> {
  const keys = [...(await keyModes(deps, directory, isPublic)), ...(await keyMode(deps, requestKey))];
  const facts = keys.length > 0 ? await deps.workspace.statTarget(directory) : undefined;
  return facts ? [...keys, {path: directory, kind: 'directory', mode: facts.mode}] : keys;
}

/** The keys of `certs workload`, in CLUSTER/workloads/NAMESPACE/SERVICEACCOUNT. */
async function workloadModes(deps: Deps, cluster: string): Promise<readonly FileModeFacts[]> {
  const entriesOf = async (directory: string): Promise<readonly string[]> =>
    (await deps.workspace.list(directory)).map((name) => `${directory}/${name}`);
  const namespaces = await entriesOf(workloadsDirectory(cluster));
  const accounts = (await Promise.all(namespaces.map(entriesOf))).flat();
  return (await Promise.all(accounts.map((directory) => keyModes(deps, directory)))).flat();
}

/**
 * The keys in a directory; `.` is the work directory. Everyone may read the files in `isPublic`: with a key in one, its mode is
 * not the problem.
 */
async function keyModes(
  deps: Deps,
  directory: string,
  isPublic: ReadonlySet<string> = new Set(),
): Promise<readonly FileModeFacts[]> {
  const names = (await deps.workspace.list(directory)).filter((name) => name.endsWith(keySuffix));
  const named = names.map((name) => (directory === '.' ? name : `${directory}/${name}`));
  const withKeys = (await keyFilesIn(deps.workspace, directory)).map(({path}) => path);
  const paths = [...new Set([...named, ...withKeys])].filter((path) => !isPublic.has(path)).toSorted();
  return (await Promise.all(paths.map((path) => keyMode(deps, path)))).flat();
}

/** The mode of a link's target: a link itself always has mode 0777 on Linux (symlink(7)). */
async function keyMode(deps: Deps, path: string): Promise<readonly FileModeFacts[]> {
  const facts = await deps.workspace.statTarget(path);
  return facts?.kind === 'file' ? [{path, kind: 'key', mode: facts.mode}] : [];
}
