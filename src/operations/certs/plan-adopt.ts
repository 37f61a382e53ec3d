/** What `certs adopt` makes of what runs: names, files, the mesh's root; or why not, for each cluster. Pure. */
import {defined} from '../../domain/defined.js';
import {type ErrorReport, MeshError, problem, reportError} from '../../domain/errors.js';
import type {MeshCluster} from '../../domain/mesh/mesh.js';
import {identityProblems} from '../../domain/mesh/identity.js';
import type {Certificate} from '../../domain/x509/certificate.js';
import {layout} from '../../domain/mesh/layout.js';
import {isClusterName} from '../../domain/mesh/names.js';
import {isKnown} from '../../domain/observed.js';
import {shortFingerprint} from '../../domain/keys/keys.js';
import {printableLine} from '../../domain/printable.js';
import {advice, kubectlMesh, words} from '../../domain/suggest/suggestion.js';
import {readableRoots, sameRoots} from '../../domain/ca/trust-store.js';
import type {Warning} from '../../engine/operation.js';
import {
  type Adoption,
  declarationOf,
  type Adoptable,
  adoptableOf,
  isRoot,
  type InspectedCluster,
  minorsOf,
  type Rejected,
  type Seen,
  type ExistingWorkDir,
  takeFiles,
} from './adoption.js';

/** The name a context is adopted under. Throws `USAGE` where nothing gives one, `CONTRADICTION` where two differ. */
export function nameOf(
  {context, said, seen}: InspectedCluster,
  {file, contexts}: Pick<ExistingWorkDir, 'file' | 'contexts'>,
): string {
  const declared = file?.clusters?.find((one) => (contexts[one.name] ?? one.context) === context)?.name;
  const id = isKnown(seen) ? seen.value.controlPlanes[0].clusterID : undefined;
  const own = id !== undefined && isClusterName(id) ? id : undefined;
  const wanted = said ?? declared;
  if (wanted !== undefined && own !== undefined && wanted !== own) {
    throw new MeshError('CONTRADICTION', `istiod of context "${context}" calls its cluster ${own}, not ${wanted}`, {
      hints: [advice`a cluster's name is Istio's clusterName: ${kubectlMesh('certs adopt', words`${own}=${context}`)}`],
    });
  }
  const name = wanted ?? own ?? (isClusterName(context) ? context : undefined);
  if (name !== undefined) return name;
  throw new MeshError('USAGE', `nothing gives the cluster of context "${context}" a name`, {
    hints: [advice`say one: ${kubectlMesh('certs adopt', [`NAME=${context}`])}`],
  });
}

/** Decides for all contexts: each judge sees what the ones before it let pass. */
export function adopt(looked: readonly InspectedCluster[], standing: ExistingWorkDir, withKeys: boolean): Adoption {
  const named = looked.map((one) => nameIt(one, standing));
  const agreed = [refuseStranger, refuseTwin, refuseOtherMesh].reduce((all, judge) => {
    const good = adoptableOf(all);
    return all.map((one) => {
      const error = 'error' in one ? undefined : judge(one, good, standing);
      return error ? {context: one.context, name: one.name, error} : one;
    });
  }, named);
  const clusters = agreed.map((one) => ('error' in one ? one : takeFiles(one, standing, withKeys)));
  const good = adoptableOf(clusters);
  const {rootCert, warnings} = decideRoot(good, standing);
  return {
    clusters,
    declaration: declarationOf(good, standing),
    rootCert,
    warnings: [...warnings, ...good.flatMap((one) => warningsOf(one, standing)), ...mixedVersions(good)],
  };
}

function nameIt(looked: InspectedCluster, standing: ExistingWorkDir): Seen | Rejected {
  const {context, said, seen} = looked;
  if (!isKnown(seen)) return {context, name: said ?? context, error: seen.unknown};
  try {
    return {context, name: nameOf(looked, standing), running: seen.value};
  } catch (thrown) {
    if (thrown instanceof MeshError) return {context, name: said ?? context, error: reportError(thrown)};
    throw thrown;
  }
}

/** Why one of the contexts that are good so far cannot be adopted after all. */
type Judge = (one: Seen, good: readonly Seen[], standing: ExistingWorkDir) => ErrorReport | undefined;

/** Two contexts of one cluster, a cluster that mesh.yaml knows as another. */
const refuseStranger: Judge = (one, good, {file, contexts}) => {
  const clusters = (file?.clusters ?? []).map(({name, context, uid}): MeshCluster => {
    return defined({name, role: 'primary', context: contexts[name] ?? context, uid});
  });
  // Contexts that give the same name are judged one by one: only one of them can lead to the cluster that mesh.yaml knows.
  const seen = [...good.filter(({name}) => name !== one.name), one].map(({name, running: {uid}}) => ({name, uid}));
  return identityProblems({clusters}, seen, false).find(({cluster}) => cluster === one.name)?.error;
};

/** Two clusters of one name. */
const refuseTwin: Judge = (one, good) => {
  const twin = good.find(({name}) => name === one.name);
  if (!twin || twin === one) return undefined;
  const what = `contexts "${twin.context}" and "${one.context}" both give a cluster named ${one.name}`;
  return problem('CONTRADICTION', what, 'name each: NAME=CONTEXT; in one mesh, clusterName is unique');
};

/** mesh ID, trust domain and network are those of mesh.yaml, or else of the first context. */
const refuseOtherMesh: Judge = ({name, running}, good, {file}) => {
  const first = good[0]?.running.controlPlanes[0];
  const [own] = running.controlPlanes;
  const network = file?.clusters?.find((one) => one.name === name)?.network;
  const values: readonly (readonly [what: string, own: string | undefined, wanted: string | undefined])[] = [
    ['mesh ID', own.meshID, file?.meshID ?? first?.meshID],
    ['trust domain', own.trustDomain, file?.trustDomain ?? (file ? 'cluster.local' : first?.trustDomain)],
    ['network', running.network, network],
  ];
  const clash = values.find(([, has, wanted]) => has !== undefined && wanted !== undefined && has !== wanted);
  if (!clash) return undefined;
  const [what, has = '', wanted = ''] = clash;
  const message = `${name} runs with ${what} ${printableLine(has)}, the mesh here has ${wanted}`;
  return problem('CONTRADICTION', message, 'adopt another mesh in a directory of its own');
};

/** The roots of a cluster as a text. */
function rootsText({running, keptIn}: Adoptable): string | undefined {
  if (running.cacerts !== 'absent') return running.cacerts.files.rootCert;
  return keptIn === 'istio-ca-secret' ? running.selfSigned : running.bundle;
}

function fingerprints(roots: readonly Certificate[]): string {
  return roots
    .map(({fingerprint}) => shortFingerprint(fingerprint))
    .sort()
    .join(', ');
}

function decideRoot(good: readonly Adoptable[], standing: ExistingWorkDir): Pick<Adoption, 'rootCert' | 'warnings'> {
  const others = [...standing.files].filter(([name]) => !good.some((one) => one.name === name));
  const all = [
    ...others.map(([name, files]) => ({name, text: files.rootCert})),
    ...good.map((one) => ({name: one.name, text: rootsText(one)})),
  ].flatMap(({name, text = ''}) => {
    const roots = readableRoots(text);
    return roots.length > 0 ? [{name, text, roots}] : [];
  });
  const isMissing = standing.rootCert === undefined;
  const [first] = all;
  const wanted = isMissing ? (first?.roots ?? []) : readableRoots(standing.rootCert);
  const different = all.filter(({roots}) => !sameRoots(roots, wanted));
  const whose = isMissing ? (first?.name ?? '') : layout.rootCert;
  const warnings: readonly Warning[] = different.map(({name, roots}) => {
    const why = `its roots are ${fingerprints(roots)}, those of ${whose} are ${fingerprints(wanted)}`;
    return {cluster: name, message: `${why}: workloads of clusters with different roots refuse each other`};
  });
  if (!isMissing || !first) return {rootCert: undefined, warnings};
  if (different.length === 0) return {rootCert: {path: layout.rootCert, content: first.text}, warnings};
  const message = `${layout.rootCert} is not written: the clusters have no one root`;
  return {rootCert: undefined, warnings: [...warnings, {message}]};
}

function warningsOf(
  {name, running, keptIn, keeper}: Adoptable,
  {hasRootKey, file}: ExistingWorkDir,
): readonly Warning[] {
  const [{clusterID}] = running.controlPlanes;
  const cacerts = running.cacerts === 'absent' ? undefined : running.cacerts;
  const isUnknown = keptIn === 'cacerts' && keeper === undefined && !hasRootKey && file?.trust?.signer === undefined;
  const broken = (cacerts?.inspection.findings ?? []).filter(({severity}) => severity === 'error');
  const messages: readonly (readonly [applies: boolean | undefined, message: string])[] = [
    [clusterID !== name, `istiod calls its cluster ${printableLine(clusterID ?? 'nothing')}, not ${name}`],
    [
      keptIn === 'istio-ca-secret',
      'istiod signs with a root of its own (Secret istio-ca-secret): that key stays where it is. certs generate and trust push give the cluster a CA under that root',
    ],
    [
      cacerts && isRoot(cacerts),
      'Secret cacerts holds the root itself: its key is not copied, with --with-keys neither',
    ],
    [isUnknown, 'who signed this CA does not show: for its renewal declare trust.signer, or bring root-key.pem'],
    ...broken.map(({message}) => [true, `Secret cacerts: ${printableLine(message)}`] as const),
  ];
  return messages.flatMap(([applies, message]) => (applies === true ? [{cluster: name, message}] : []));
}

function mixedVersions(good: readonly Adoptable[]): readonly Warning[] {
  const minors = minorsOf(good);
  if (minors.length < 2) return [];
  return [{message: `Istio ${minors.join(' and ')} run here: istio.version is left to you to declare`}];
}
