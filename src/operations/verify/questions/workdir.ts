/** Facts of the work directory: they need no cluster and no tool. */
import type {
  ClusterFactValues,
  FileModeFacts,
  InstallFileFacts,
  JournalFacts,
  MeshFactValues,
} from '../../../domain/checks/facts.js';
import {clusterCaFacts} from '../../../domain/checks/read/cluster-ca.js';
import {MeshError} from '../../../domain/errors.js';
import {installYamlState} from '../../../domain/install/install-yaml.js';
import {knowVersion} from '../../../domain/istio/versions.js';
import {clusterLayout, layout, workloadsDirectory} from '../../../domain/mesh/layout.js';
import type {ClusterLayout} from '../../../domain/mesh/layout.js';
import type {Mesh, MeshCluster} from '../../../domain/mesh/mesh.js';
import {meshNames} from '../../../domain/mesh/mesh-names.js';
import {checkContextsFile, checkMeshFile, renderProblem} from '../../../domain/mesh/parse.js';
import {parseCertificates} from '../../../domain/pki/certificate.js';
import {inspectCaFiles} from '../../../domain/pki/inspect-ca.js';
import {readPrivateKey} from '../../../domain/pki/private-key.js';
import {printableLine} from '../../../domain/printable.js';
import type {OwnCa} from '../../../domain/trust/diff.js';
import type {Deps} from '../../../engine/deps.js';
import type {JournalState} from '../../../workspace/workspace.js';
import {gatherRenderings} from '../../install/renderings.js';
import {readCaFiles} from '../../shared/read-ca-files.js';
import type {Questions} from '../questions.js';
import {askCaOrigin} from './ca-origin.js';
import {readGitHistory} from './git-history.js';
import {findClearRootKeys, keyFilesIn} from './key-files.js';
import type {ClusterQuestionOptions} from './cluster.js';

/** The questions about the work directory as a whole. */
export function workdirQuestions(
  deps: Deps,
  {trust}: Mesh,
  clusters: readonly MeshCluster[],
  journal: () => Promise<JournalState>,
): Questions<MeshFactValues> {
  const {workspace} = deps;
  return {
    async declaration() {
      const [text, contexts] = await Promise.all(
        [layout.meshYaml, layout.contextsYaml].map((path) => workspace.readText(path)),
      );
      const reading = text === undefined ? undefined : checkMeshFile(text);
      const problems = [reading, contexts === undefined ? undefined : checkContextsFile(contexts)].flatMap((one) =>
        one && 'problems' in one ? one.problems.map(renderProblem) : [],
      );
      if (!reading) return {present: false, problems, clusters: clusters.length};
      return {present: true, problems, clusters: 'value' in reading ? (reading.value.clusters?.length ?? 0) : 0};
    },
    async rootKey() {
      const {signer} = trust;
      const store = deps.rootStore(signer);
      const key = await store.readSecret(layout.rootKey);
      const inside = store.root === workspace.root || store.root.startsWith(`${workspace.root}/`);
      const known = inside ? `${store.root}/${layout.rootKey}`.slice(workspace.root.length + 1) : undefined;
      const copies = await findClearRootKeys(workspace, clusters, known);
      const also = copies.length > 0 ? {copies} : {};
      if (!key) return {protection: 'absent', ...also};
      const path =
        signer.type === 'local' && signer.directory !== undefined ? `${signer.directory}/${layout.rootKey}` : undefined;
      const kept = path === undefined ? also : {path, ...also};
      const {encryption} = readPrivateKey(key, path ?? layout.rootKey);
      if (!encryption) return {protection: 'clear', ...kept};
      const {cipher, kdf, weak} = encryption;
      return {protection: 'encrypted', ...kept, ...(weak && {weakness: `${cipher} and ${kdf}`})};
    },
    async meshRoots() {
      const text = await workspace.readText(layout.rootCert);
      if (text === undefined) return [];
      return parseCertificates(text, layout.rootCert).certificates.map(({fingerprint}) => fingerprint);
    },
    async fileModes() {
      const modes = [...(await keyModes(deps, '.'))];
      // One folder after the other: files are opened here.
      for (const {name} of clusters) {
        modes.push(...(await folderModes(deps, clusterLayout(name))), ...(await workloadModes(deps, name)));
      }
      return modes;
    },
    gitHistory: () => readGitHistory(deps, clusters),
    journal: async () => journalFacts(await journal()),
  };
}

function journalFacts({present, entries, heads, faults, open, own, underWay, aside}: JournalState): JournalFacts {
  const mine = open.filter(({chain}) => chain === own);
  return {
    present,
    entries: entries.length,
    chains: heads.size,
    faults,
    open: mine
      .filter((entry) => !underWay.includes(entry))
      .map(({command, cluster, title, action, time}) => ({
        command: printableLine(command),
        ...(cluster !== undefined && {cluster: printableLine(cluster)}),
        title: printableLine(title ?? action),
        time: printableLine(time),
      })),
    openElsewhere: open.length - mine.length,
    brokenAside: aside.flatMap(({file, faults: [first]}) =>
      first ? [{file: printableLine(file), message: printableLine(first.message)}] : [],
    ),
  };
}

/** The questions about one cluster's folder. */
export function folderQuestions(
  options: ClusterQuestionOptions,
): Questions<Pick<ClusterFactValues, 'caFiles' | 'caOrigin' | 'installFile'>> {
  const {deps, mesh, cluster, ownCa} = options;
  return {
    caFiles: async () => {
      const {files, inspection} = await ownCa();
      return clusterCaFacts(files, inspection);
    },
    caOrigin: () => askCaOrigin(options),
    installFile: () => readInstallFile(deps, mesh, cluster),
  };
}

/** How names of private keys end: ours, and those of Istio's Makefiles (k8s-root-key.pem, selfSigned-ca-key.pem). */
const keyName = 'key.pem';

/** Every key of a cluster's folder, and the folder itself where it holds one. */
async function folderModes(deps: Deps, {directory, requestKey}: ClusterLayout): Promise<readonly FileModeFacts[]> {
  const keys = [...(await keyModes(deps, directory)), ...(await keyMode(deps, requestKey))];
  const facts = keys.length > 0 ? await deps.workspace.statTarget(directory) : undefined;
  return facts ? [...keys, {path: directory, kind: 'directory', mode: facts.mode}] : keys;
}

/** The keys of `certs workload`, in CLUSTER/workloads/NAMESPACE/SERVICEACCOUNT. */
async function workloadModes(deps: Deps, cluster: string): Promise<readonly FileModeFacts[]> {
  const foldersIn = async (directory: string): Promise<readonly string[]> =>
    (await deps.workspace.list(directory)).map((name) => `${directory}/${name}`);
  const namespaces = await foldersIn(workloadsDirectory(cluster));
  const accounts = (await Promise.all(namespaces.map(foldersIn))).flat();
  return (await Promise.all(accounts.map((directory) => keyModes(deps, directory)))).flat();
}

/** The keys that lie in a directory; `.` is the work directory. */
async function keyModes(deps: Deps, directory: string): Promise<readonly FileModeFacts[]> {
  const names = (await deps.workspace.list(directory)).filter((name) => name.endsWith(keyName));
  const named = names.map((name) => (directory === '.' ? name : `${directory}/${name}`));
  const holding = (await keyFilesIn(deps.workspace, directory)).map(({path}) => path);
  const paths = [...new Set([...named, ...holding])].toSorted();
  return (await Promise.all(paths.map((path) => keyMode(deps, path)))).flat();
}

/** Of what a link leads to: a link itself always has mode 0777 on Linux (symlink(7)), and it says nothing. */
async function keyMode(deps: Deps, path: string): Promise<readonly FileModeFacts[]> {
  const facts = await deps.workspace.statTarget(path);
  return facts?.kind === 'file' ? [{path, kind: 'key', mode: facts.mode}] : [];
}

/** A cluster's CA files, read and judged; a missing key is no fault of a work directory. */
export async function readOwnCa(deps: Deps, mesh: Mesh, {name}: MeshCluster): Promise<OwnCa> {
  const files = await readCaFiles(deps.workspace, name);
  const options = {now: deps.now(), ...meshNames(mesh), istioVersion: mesh.istio.version, keyMayBeMissing: true};
  return {files, inspection: inspectCaFiles(files, options)};
}

/** `# … for Istio 1.30 (form of …)`: what it was rendered for, where mesh.yaml does not say. */
const renderedFor = /^# .* for Istio (\S+) \(/m;

async function readInstallFile(deps: Deps, mesh: Mesh, cluster: MeshCluster): Promise<InstallFileFacts> {
  const text = await deps.workspace.readText(clusterLayout(cluster.name).installYaml);
  if (text === undefined) return {state: 'absent'};
  const state = installYamlState(text);
  if (state === 'foreign') return {state};
  if (state === 'edited') return {state: 'stale', difference: 'edited by hand since it was rendered'};
  const version = knowVersion(mesh.istio.version ?? renderedFor.exec(text)?.[1] ?? '');
  const [rendering] = await gatherRenderings(mesh, [cluster], version, deps);
  if (!rendering) return {state: 'absent'};
  const {rendered} = rendering;
  if (rendered instanceof MeshError)
    return {state: 'stale', difference: `mesh.yaml does not render: ${rendered.message}`};
  const now = rendered.text;
  return now === text ? {state: 'current'} : {state: 'stale', difference: firstDifference(text, now)};
}

/** The first line that is not the same: enough to know what was changed in mesh.yaml. */
function firstDifference(file: string, rendered: string): string {
  const [theirs, ours] = [file.split('\n'), rendered.split('\n')];
  const isComment = (line: string): boolean => line.startsWith('#');
  const at = ours.findIndex((line, index) => line !== theirs[index] && !isComment(line));
  if (at === -1) return 'it has more lines than mesh.yaml renders to now';
  return `line ${String(at + 1)} says "${theirs[at]?.trim() ?? ''}", mesh.yaml now means "${ours[at]?.trim() ?? ''}"`;
}
