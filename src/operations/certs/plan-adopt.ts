/** Decides for `certs adopt`: names, files and the mesh's root, or why a cluster cannot be adopted. Pure. */
import {isBlocking} from '../../domain/ca/istiod-rules.js';
import {defined} from '../../domain/defined.js';
import {type ErrorReport, MeshError, problem, reportError} from '../../domain/errors.js';
import type {MeshCluster} from '../../domain/mesh/mesh.js';
import {identityProblems} from '../../domain/mesh/identity.js';
import type {Certificate} from '../../domain/x509/certificate.js';
import {layout} from '../../domain/mesh/layout.js';
import {isKnown} from '../../domain/observed.js';
import {shortFingerprint} from '../../domain/keys/keys.js';
import {printableLine} from '../../domain/printable.js';
import {canonicalCertificates} from '../../domain/ca/canonical.js';
import {describeSource, otherSources} from '../../domain/istio/ca-source.js';
import {readableRoots, sameRoots} from '../../domain/ca/trust-store.js';
import type {Warning} from '../../engine/operation.js';
import {clusterNameOf, istioNameConflict, istioNamesOf, undeclaredName} from './adopted-names.js';
import {
  type Adoption,
  declarationOf,
  type Adoptable,
  adoptableOf,
  hasRoot,
  type InspectedContext,
  minorsOf,
  type Rejected,
  type AdoptionCandidate,
  type ExistingWorkDir,
  adoptFiles,
  isContradicted,
} from './adoption.js';

/** Decides for all contexts: each rule applies to those that the earlier rules accepted. */
export function adoptAll(
  inspected: readonly InspectedContext[],
  existing: ExistingWorkDir,
  withKeys: boolean,
): Adoption {
  const named = inspected.map((one) => nameContext(one, existing));
  const checked = [identityConflict, duplicateName, istioNameConflict, meshMismatch].reduce((all, rule) => {
    const accepted = adoptableOf(all);
    return all.map((one) => {
      const error = 'error' in one ? undefined : rule(one, accepted, existing);
      return error ? {context: one.context, name: one.name, error} : one;
    });
  }, named);
  const clusters = checked.map((one) => ('error' in one ? one : adoptFiles(one, existing, withKeys)));
  const adopted = adoptableOf(clusters);
  const {rootCert, warnings} = decideRoot(adopted, existing);
  const istioNames = istioNamesOf(adopted, existing.file);
  return {
    clusters,
    declaration: {...declarationOf(adopted, existing), ...(Object.keys(istioNames).length > 0 && {istioNames})},
    rootCert,
    warnings: [
      ...warnings,
      ...adopted.flatMap((one) => warningsOf(one, existing, istioNames)),
      ...mixedVersions(adopted),
    ],
  };
}

function nameContext(inspected: InspectedContext, existing: ExistingWorkDir): AdoptionCandidate | Rejected {
  const {context, givenName, observed} = inspected;
  if (!isKnown(observed)) return {context, name: givenName ?? context, error: observed.unknown};
  try {
    return {context, name: clusterNameOf(inspected, existing), running: observed.value};
  } catch (thrown) {
    if (thrown instanceof MeshError) return {context, name: givenName ?? context, error: reportError(thrown)};
    throw thrown;
  }
}

/** Returns why a context must be rejected, given the contexts accepted so far. */
type AdoptionRule = (
  one: AdoptionCandidate,
  accepted: readonly AdoptionCandidate[],
  existing: ExistingWorkDir,
) => ErrorReport | undefined;

/** Rejects a cluster that another context, or mesh.yaml, has under another name. */
const identityConflict: AdoptionRule = (one, accepted, {file, contexts}) => {
  const clusters = (file?.clusters ?? []).map(({name, context, uid}): MeshCluster => {
    return defined({name, role: 'primary', context: contexts[name] ?? context, uid});
  });
  // Contexts with the same name are compared one by one: only one of them can point to the cluster in mesh.yaml.
  const uids = [...accepted.filter(({name}) => name !== one.name), one].map(({name, running: {uid}}) => ({name, uid}));
  return identityProblems({clusters}, uids, false).find(({cluster}) => cluster === one.name)?.error;
};

/** Rejects a second cluster with the same name. */
const duplicateName: AdoptionRule = (one, accepted) => {
  const first = accepted.find(({name}) => name === one.name);
  if (!first || first === one) return undefined;
  const what = `contexts "${first.context}" and "${one.context}" both result in a cluster named ${one.name}`;
  return problem('CONTRADICTION', what, 'name each with NAME=CONTEXT; clusterName must be unique in a mesh');
};

/** Rejects a mesh ID, trust domain or network that differs from mesh.yaml, or else from the first context. */
const meshMismatch: AdoptionRule = ({name, running}, accepted, {file}) => {
  const first = accepted[0]?.running.controlPlanes[0];
  const [own] = running.controlPlanes;
  const network = file?.clusters?.find((one) => one.name === name)?.network;
  const values: readonly (readonly [what: string, own: string | undefined, expected: string | undefined])[] = [
    ['mesh ID', own.meshID, file?.meshID ?? first?.meshID],
    ['trust domain', own.trustDomain, file?.trustDomain ?? (file ? 'cluster.local' : first?.trustDomain)],
    ['network', running.network, network],
  ];
  const mismatch = values.find(([, has, expected]) => has !== undefined && expected !== undefined && has !== expected);
  if (!mismatch) return undefined;
  const [what, has = '', expected = ''] = mismatch;
  const message = `${name} runs with ${what} ${printableLine(has)}, but this mesh has ${expected}`;
  return problem('CONTRADICTION', message, 'use a separate work directory for another mesh');
};

/** A cluster's roots as PEM: those of its CA, unless the bundle of its workloads contradicts them. */
function rootsText({running, keptIn}: Adoptable): string | undefined {
  const {cacerts, bundle} = running;
  if (cacerts !== 'absent') {
    const {rootCert} = cacerts.files;
    return isContradicted(rootCert, running) ? bundle : rootCert;
  }
  return keptIn === 'istio-ca-secret' ? running.selfSigned : bundle;
}

function fingerprints(roots: readonly Certificate[]): string {
  return roots
    .map(({fingerprint}) => shortFingerprint(fingerprint))
    .sort()
    .join(', ');
}

function decideRoot(adopted: readonly Adoptable[], existing: ExistingWorkDir): Pick<Adoption, 'rootCert' | 'warnings'> {
  const others = [...existing.files].filter(([name]) => !adopted.some((one) => one.name === name));
  const all = [
    ...others.map(([name, files]) => ({name, text: files.rootCert})),
    ...adopted.map((one) => ({name: one.name, text: rootsText(one)})),
  ].flatMap(({name, text = ''}) => {
    const roots = readableRoots(text);
    return roots.length > 0 ? [{name, text, roots}] : [];
  });
  const isMissing = existing.rootCert === undefined;
  const [first] = all;
  const expected = isMissing ? (first?.roots ?? []) : readableRoots(existing.rootCert);
  const different = all.filter(({roots}) => !sameRoots(roots, expected));
  const whose = isMissing ? (first?.name ?? '') : layout.rootCert;
  const warnings: readonly Warning[] = different.map(({name, roots}) => {
    const why = `its roots are ${fingerprints(roots)}, but those of ${whose} are ${fingerprints(expected)}`;
    return {cluster: name, message: `${why}: workloads in clusters with different roots reject each other`};
  });
  if (!isMissing || !first) return {rootCert: undefined, warnings};
  if (different.length === 0)
    return {rootCert: {path: layout.rootCert, content: canonicalCertificates(first.text) ?? ''}, warnings};
  const message = `${layout.rootCert} is not written: the clusters do not share a root`;
  return {rootCert: undefined, warnings: [...warnings, {message}]};
}

function warningsOf(
  one: Adoptable,
  {hasRootKey, file}: ExistingWorkDir,
  istioNames: Readonly<Record<string, string>>,
): readonly Warning[] {
  const {name, running, keptIn, keeper} = one;
  const undeclared = undeclaredName(one, istioNames);
  const cacerts = running.cacerts === 'absent' ? undefined : running.cacerts;
  const isUnknown = keptIn === 'cacerts' && keeper === undefined && !hasRootKey && file?.trust?.signer === undefined;
  const broken = (cacerts?.inspection.findings ?? []).filter(isBlocking);
  const isUnloaded = cacerts && isContradicted(cacerts.files.rootCert, running);
  const messages: readonly (readonly [applies: boolean | undefined, message: string])[] = [
    [undeclared !== undefined, undeclared ?? ''],
    [
      keptIn === 'istio-ca-secret',
      'istiod is self-signed (Secret istio-ca-secret), and its root key is not copied; certs generate and trust push give the cluster a CA under that root',
    ],
    [
      cacerts && hasRoot(cacerts),
      `Secret ${cacerts?.name ?? ''} contains the root itself: its key is not copied, not even with --with-keys`,
    ],
    [isUnknown, 'the signer of this CA is unknown: to renew it, declare trust.signer or copy root-key.pem here'],
    [
      isUnloaded,
      `istiod has not loaded Secret ${cacerts?.name ?? ''}: its workloads trust other roots. The live roots are adopted, and no files are copied`,
    ],
    ...otherSources(running.caSources).map(
      ({istiod, source}) =>
        [
          true,
          `Deployment ${istiod} reads its CA from ${describeSource(source)}: trust push cannot change it`,
        ] as const,
    ),
    ...broken.map(({message}) => [true, `Secret ${cacerts?.name ?? ''}: ${printableLine(message)}`] as const),
  ];
  return messages.flatMap(([applies, message]) => (applies === true ? [{cluster: name, message}] : []));
}

function mixedVersions(adopted: readonly Adoptable[]): readonly Warning[] {
  const minors = minorsOf(adopted);
  if (minors.length < 2) return [];
  return [{message: `Istio ${minors.join(' and ')} are running: declare istio.version yourself`}];
}
