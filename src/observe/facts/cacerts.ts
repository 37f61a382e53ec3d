/** Facts about the Secrets with which a cluster signs. */
import {cacertsFacts, certificateFacts} from '../../domain/facts/read/cluster-ca.js';
import {isIstiod} from '../../domain/facts/read/control-plane.js';
import type {CaOrigin, CertificateFacts, PushedTrust} from '../../domain/facts/facts.js';
import {usesCacerts} from '../../domain/mesh/signer.js';
import {caFileNames} from '../../domain/ca/ca-files.js';
import {annotations} from '../../domain/trust/cacerts.js';
import {caSecretOf, otherSources, type CaSource} from '../../domain/istio/ca-source.js';
import {bundleKey} from '../../domain/istio/names.js';
import {isKnown} from '../../domain/observed.js';
import {parseCertificates} from '../../domain/x509/certificate.js';
import type {DesiredCa} from '../../domain/trust/diff.js';
import {publishedBundleName, readIstiod, stuckIstiods} from '../../domain/trust/istiod.js';
import {readSelfSigned} from '../ca-files.js';
import {attempt} from '../cluster-reader.js';
import type {Derivations, FactSources} from '../fact-sources.js';

/** The contents of the Secrets, compared with the work directory. */
export const secretFacts: Derivations<
  'caSources' | 'cacerts' | 'caOrigin' | 'restartOnPush' | 'selfSignedRoot' | 'pushedTrust'
> = {
  caSources: ({caSources}) => caSources(),
  caOrigin: (sources) => readCaOrigin(sources),
  cacerts: async ({mountedCa, workDirCa}) => {
    const found = await mountedCa();
    return found === 'absent' ? found : cacertsFacts(found, await workDirCa());
  },
  restartOnPush: async (sources) => {
    // An unreadable Secret is a separate finding, and the suggested push reports it, too.
    const stuck = await attempt(sources.deps.signal, () => readStuckIstiods(sources));
    return !isKnown(stuck) || stuck.value.length > 0;
  },
  selfSignedRoot: async ({reads}) => selfSignedRoot(await readSelfSigned(reads)),
  pushedTrust: async ({reads, caSources, mountedCa, workDirCa}) => {
    // What istiod reads from another volume than a Secret is only visible in the running istiod.
    if (!reads.allows('cacerts') || caSecretOf(await caSources()) === undefined) {
      const trust = pushedTrust('the work directory', await workDirCa());
      return trust === 'absent' ? trust : {...trust, isCanonical: true};
    }
    const found = await mountedCa();
    return found === 'absent' ? found : pushedTrust(`Secret ${found.name}`, found);
  },
};

/**
 * Where the cluster's CA comes from. Secrets are read only if CLUSTER/ contains no CA files. Throws what reading throws.
 */
async function readCaOrigin(sources: FactSources): Promise<CaOrigin> {
  const {mesh, reads, limits, mountedCa, workDirCa} = sources;
  const {files} = await workDirCa();
  const parts = Object.keys(caFileNames) as (keyof typeof caFileNames)[];
  const other = await readOtherSource(sources);
  if (other) return {from: 'mounted', source: other};
  if (parts.some((part) => files[part] !== undefined)) return {from: 'work directory'};
  const {signer} = mesh.trust;
  const declared = signer.type === 'external' ? signer.issuer : undefined;
  const isAllowed = reads.allows('cacerts');
  if (declared !== undefined && (!isAllowed || !usesCacerts(signer))) return {from: 'external', managedBy: declared};
  if (!isAllowed) return {from: limits.offline === true ? 'none' : 'not read'};
  const found = await mountedCa();
  if (found === 'absent') return declared === undefined ? {from: 'none'} : {from: 'external', managedBy: declared};
  const {managedBy} = found;
  if (managedBy !== undefined || declared !== undefined)
    return {from: 'external', managedBy: managedBy ?? declared ?? ''};
  // A CA that was pushed from a work directory is missing from this one.
  if (found.annotations[annotations.writtenBy] !== undefined) return {from: 'none'};
  return {from: parts.every((part) => found.files[part] !== undefined) ? 'external' : 'none'};
}

/** The source of an istiod that does not read Secret cacerts; undefined without one, and if that is unknown. */
async function readOtherSource({limits, deps, cluster, caSources, mesh}: FactSources): Promise<CaSource | undefined> {
  if (limits.offline === true || cluster.context === undefined || !usesCacerts(mesh.trust.signer)) return undefined;
  // The facts that require an unreadable cluster report it.
  const sources = await attempt(deps.signal, caSources);
  return isKnown(sources) ? otherSources(sources.value)[0]?.source : undefined;
}

/** The istiods that would not load the work directory's bundle without a restart. */
async function readStuckIstiods({
  reads,
  mesh,
  workDirCa,
  mountedCa,
}: FactSources): Promise<ReturnType<typeof stuckIstiods>> {
  const [deployments, configMaps, own, secret, selfSigned] = await Promise.all([
    reads.read('deployments'),
    reads.read('configMaps'),
    workDirCa(),
    mountedCa(),
    readSelfSigned(reads),
  ]);
  const istiods = deployments.filter(isIstiod).map(readIstiod);
  const live = configMaps.find(
    ({metadata}) => metadata.name === publishedBundleName(istiods) && metadata.namespace === mesh.istio.namespace,
  );
  return stuckIstiods({
    istiods,
    cacerts: secret,
    liveBundle: live?.data?.[bundleKey],
    selfSigned,
    newBundle: own.files.rootCert ?? '',
    newLists: own.files.crl,
  });
}

function selfSignedRoot(text: string | undefined): CertificateFacts | 'absent' {
  if (text === undefined) return 'absent';
  const [certificate] = parseCertificates(text, 'ca-cert.pem of Secret istio-ca-secret').certificates;
  return certificate ? certificateFacts(certificate) : 'absent';
}

function pushedTrust(from: string, {files, inspection}: DesiredCa): PushedTrust | 'absent' {
  const {certificate, roots = []} = inspection;
  // The checks of the files and of the Secret report what cannot be read.
  if (files.rootCert === undefined || !certificate) return 'absent';
  return {
    from,
    bundle: files.rootCert,
    roots: roots.map(({fingerprint}) => fingerprint),
    certificate: certificateFacts(certificate),
    ...(roots[0] && {firstRoot: certificateFacts(roots[0])}),
  };
}
