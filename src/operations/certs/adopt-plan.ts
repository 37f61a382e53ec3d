/** What `certs adopt` makes of what runs: names, files, the mesh's root; or why not, for each cluster. Pure. */
import {defined} from '../../domain/defined.js';
import {MeshError, problem, reportError} from '../../domain/errors.js';
import type {MeshCluster} from '../../domain/mesh/mesh.js';
import {identityProblems} from '../../domain/mesh/identity.js';
import type {Certificate} from '../../domain/x509/certificate.js';
import {layout} from '../../domain/mesh/layout.js';
import {isClusterName} from '../../domain/mesh/names.js';
import {isKnown} from '../../domain/observed.js';
import {shortFingerprint} from '../../domain/keys/fingerprint.js';
import {printableLine} from '../../domain/printable.js';
import {advice} from '../../domain/suggest/advice.js';
import {kubectlMesh, words} from '../../domain/suggest/suggestion.js';
import {readableRoots, sameRoots} from '../../domain/ca/trust-store.js';
import type {Warning} from '../../engine/operation.js';
import {declarationOf, minorsOf} from './adopt-declaration.js';
import {isRoot, takeFiles} from './adopt-files.js';
import {failed, none, type Adopted, type Adoption, type Good, type Looked, type Standing} from './adoption.js';

/** The name a context is adopted under. Throws `USAGE` where nothing gives one, `CONTRADICTION` where two differ. */
export function nameOf({context, said, seen}: Looked, {file, contexts}: Pick<Standing, 'file' | 'contexts'>): string {
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

/** Decides for all contexts. What is there already is never overwritten. */
export function adopt(looked: readonly Looked[], standing: Standing, withKeys: boolean): Adoption {
  const named = looked.map((one) => nameIt(one, standing));
  const identified = refuseStrangers(named, standing);
  const agreed = agreeWithAll(identified, standing);
  const clusters = agreed.map((one) => takeFiles(one, standing, withKeys));
  const good = clusters.filter((one): one is Good => one.error === undefined && one.running !== undefined);
  const {rootCert, warnings} = decideRoot(good, standing);
  return {
    clusters,
    declaration: declarationOf(good, standing),
    rootCert,
    warnings: [...warnings, ...good.flatMap((one) => warningsOf(one, standing)), ...mixedVersions(good)],
  };
}

function nameIt(looked: Looked, standing: Standing): Adopted {
  const {context, said, seen} = looked;
  if (!isKnown(seen)) return failed({context, name: said ?? context}, seen.unknown);
  try {
    return {...none, context, name: nameOf(looked, standing), running: seen.value};
  } catch (thrown) {
    if (thrown instanceof MeshError) return failed({context, name: said ?? context}, reportError(thrown));
    throw thrown;
  }
}

/** Two contexts of one cluster, two clusters of one name, a cluster that mesh.yaml knows as another. */
function refuseStrangers(all: readonly Adopted[], {file, contexts}: Standing): readonly Adopted[] {
  const clusters = (file?.clusters ?? []).map((one) => ({...one, context: contexts[one.name] ?? one.context}));
  const seen = all.flatMap(({name, running}) => (running ? [{name, uid: running.uid}] : []));
  const mesh = {
    clusters: clusters.map(({name, context, uid}): MeshCluster => defined({name, role: 'primary', context, uid})),
  };
  // Contexts that give the same name are judged one by one: only one of them can lead to the cluster that mesh.yaml knows.
  const identified = all.map((one): Adopted => {
    if (one.error || !one.running) return one;
    const others = seen.filter(({name}) => name !== one.name);
    const problems = identityProblems(mesh, [...others, {name: one.name, uid: one.running.uid}], false);
    const problem = problems.find(({cluster}) => cluster === one.name);
    return problem ? failed(one, problem.error) : one;
  });
  return identified.map((one, index) => {
    if (one.error) return one;
    const twin = identified.find((other, at) => at < index && !other.error && other.name === one.name);
    if (!twin) return one;
    const what = `contexts "${twin.context}" and "${one.context}" both give a cluster named ${one.name}`;
    return failed(one, problem('CONTRADICTION', what, 'name each: NAME=CONTEXT; in one mesh, clusterName is unique'));
  });
}

/** mesh ID, trust domain and network are those of mesh.yaml, or else of the first context. */
function agreeWithAll(all: readonly Adopted[], {file}: Standing): readonly Adopted[] {
  const first = all.find(({error}) => !error)?.running?.controlPlanes[0];
  const meshID = file?.meshID ?? first?.meshID;
  const trustDomain = file?.trustDomain ?? (file ? 'cluster.local' : first?.trustDomain);
  return all.map((one) => {
    if (one.error || !one.running) return one;
    const [{meshID: ownID, trustDomain: ownDomain}] = one.running.controlPlanes;
    const network = file?.clusters?.find(({name}) => name === one.name)?.network;
    const clash =
      differs('mesh ID', ownID, meshID) ??
      differs('trust domain', ownDomain, trustDomain) ??
      differs('network', one.running.network, network);
    if (clash === undefined) return one;
    const message = `${one.name} runs with ${clash}`;
    return failed(one, problem('CONTRADICTION', message, 'adopt another mesh in a directory of its own'));
  });
}

function differs(what: string, own: string | undefined, wanted: string | undefined): string | undefined {
  if (own === undefined || wanted === undefined || own === wanted) return undefined;
  return `${what} ${printableLine(own)}, the mesh here has ${wanted}`;
}

/** The roots of a cluster as a text. */
function rootsText({running, keptIn}: Good): string | undefined {
  if (keptIn === 'cacerts') return running.cacerts === 'absent' ? undefined : running.cacerts.files.rootCert;
  return keptIn === 'istio-ca-secret' ? running.selfSigned : running.bundle;
}

function fingerprints(roots: readonly Certificate[]): string {
  return roots
    .map(({fingerprint}) => shortFingerprint(fingerprint))
    .sort()
    .join(', ');
}

function decideRoot(good: readonly Good[], standing: Standing): Pick<Adoption, 'rootCert' | 'warnings'> {
  const own = good.map((one) => ({name: one.name, text: rootsText(one)}));
  const others = [...standing.files]
    .filter(([name]) => !good.some((one) => one.name === name))
    .map(([name, files]) => ({name, text: files.rootCert}));
  const all = [...others, ...own]
    .map((one) => ({...one, roots: readableRoots(one.text)}))
    .filter(({roots}) => roots.length > 0);
  const [first] = all;
  const wanted = standing.rootCert === undefined ? (first?.roots ?? []) : readableRoots(standing.rootCert);
  const different = all.filter(({roots}) => !sameRoots(roots, wanted));
  const whose = standing.rootCert === undefined ? (first?.name ?? '') : layout.rootCert;
  const warnings = different.map(({name, roots}) => {
    const why = `its roots are ${fingerprints(roots)}, those of ${whose} are ${fingerprints(wanted)}`;
    return {cluster: name, message: `${why}: workloads of clusters with different roots refuse each other`};
  });
  const text = first?.text;
  const isAgreed = standing.rootCert === undefined && text !== undefined && different.length === 0;
  return {
    rootCert: isAgreed ? {path: layout.rootCert, content: text} : undefined,
    warnings: [
      ...warnings,
      ...(different.length > 0 && standing.rootCert === undefined
        ? [{message: `${layout.rootCert} is not written: the clusters have no one root`}]
        : []),
    ],
  };
}

const selfSignedNote =
  'istiod signs with a root of its own (Secret istio-ca-secret): that key stays where it is. certs generate and trust push give the cluster a CA under that root';

function warningsOf(one: Good, {hasRootKey, file}: Standing): readonly Warning[] {
  const {name, running, keptIn, keeper} = one;
  const [{clusterID}] = running.controlPlanes;
  const say = (message: string): Warning => ({cluster: name, message});
  const isUnknown = keptIn === 'cacerts' && keeper === undefined && !hasRootKey && file?.trust?.signer === undefined;
  const broken =
    running.cacerts === 'absent'
      ? []
      : running.cacerts.inspection.findings.filter(({severity}) => severity === 'error');
  return [
    ...(clusterID === name
      ? []
      : [say(`istiod calls its cluster ${printableLine(clusterID ?? 'nothing')}, not ${name}`)]),
    ...(keptIn === 'istio-ca-secret' ? [say(selfSignedNote)] : []),
    ...(running.cacerts !== 'absent' && isRoot(running.cacerts)
      ? [say('Secret cacerts holds the root itself: its key is not copied, with --with-keys neither')]
      : []),
    ...(isUnknown
      ? [say('who signed this CA does not show: for its renewal declare trust.signer, or bring root-key.pem')]
      : []),
    ...broken.map(({message}) => say(`Secret cacerts: ${printableLine(message)}`)),
  ];
}

function mixedVersions(good: readonly Good[]): readonly Warning[] {
  const minors = minorsOf(good);
  if (minors.length < 2) return [];
  return [{message: `Istio ${minors.join(' and ')} run here: istio.version is left to you to declare`}];
}
