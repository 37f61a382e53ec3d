/** Facts about the Secrets with which a cluster signs. */
import {cacertsFacts, certificateFacts} from '../../domain/facts/read/cluster-ca.js';
import {isIstiod} from '../../domain/facts/read/control-plane.js';
import type {CaOrigin, CertificateFacts, PushedTrust} from '../../domain/facts/facts.js';
import {usesCacerts} from '../../domain/mesh/signer.js';
import {caFileNames} from '../../domain/ca/ca-files.js';
import {annotations} from '../../domain/trust/cacerts.js';
import {bundleKey, defaultBundleName} from '../../domain/istio/names.js';
import {isKnown} from '../../domain/observed.js';
import {parseCertificates} from '../../domain/x509/certificate.js';
import type {DesiredCa} from '../../domain/trust/diff.js';
import {readIstiod, stuckIstiods} from '../../domain/trust/istiod.js';
import {readSelfSigned} from '../ca-files.js';
import {attempt} from '../cluster-reader.js';
import type {Derivations, FactSources} from '../fact-sources.js';

/** The contents of the Secrets, compared with the work directory. */
export const secretFacts: Derivations<'cacerts' | 'caOrigin' | 'restartOnPush' | 'selfSignedRoot' | 'pushedTrust'> = {
  caOrigin: (sources) => readCaOrigin(sources),
  cacerts: async ({cacerts, workDirCa}) => {
    const found = await cacerts();
    return found === 'absent' ? found : cacertsFacts(found, await workDirCa());
  },
  restartOnPush: async (sources) => {
    // An unreadable Secret is a separate finding, and the suggested push reports it, too.
    const stuck = await attempt(sources.deps.signal, () => readStuckIstiods(sources));
    return !isKnown(stuck) || stuck.value.length > 0;
  },
  selfSignedRoot: async ({reads}) => selfSignedRoot(await readSelfSigned(reads)),
  pushedTrust: async ({reads, cacerts, workDirCa}) => {
    if (!reads.allows('cacerts')) {
      const trust = pushedTrust('the work directory', await workDirCa());
      return trust === 'absent' ? trust : {...trust, isCanonical: true};
    }
    const found = await cacerts();
    return found === 'absent' ? found : pushedTrust('Secret cacerts', found);
  },
};

/**
 * Where the cluster's CA comes from. The cluster is read only if CLUSTER/ contains no CA files. Throws what reading the
 * Secret throws.
 */
async function readCaOrigin({mesh, reads, limits, cacerts, workDirCa}: FactSources): Promise<CaOrigin> {
  const {files} = await workDirCa();
  const parts = Object.keys(caFileNames) as (keyof typeof caFileNames)[];
  if (parts.some((part) => files[part] !== undefined)) return {from: 'work directory'};
  const {signer} = mesh.trust;
  const declared = signer.type === 'external' ? signer.issuer : undefined;
  const isAllowed = reads.allows('cacerts');
  if (declared !== undefined && (!isAllowed || !usesCacerts(signer))) return {from: 'external', managedBy: declared};
  if (!isAllowed) return {from: limits.offline === true ? 'none' : 'not read'};
  const found = await cacerts();
  if (found === 'absent') return declared === undefined ? {from: 'none'} : {from: 'external', managedBy: declared};
  const {managedBy} = found;
  if (managedBy !== undefined || declared !== undefined)
    return {from: 'external', managedBy: managedBy ?? declared ?? ''};
  // A CA that was pushed from a work directory is missing from this one.
  if (found.annotations[annotations.writtenBy] !== undefined) return {from: 'none'};
  return {from: parts.every((part) => found.files[part] !== undefined) ? 'external' : 'none'};
}

/** The istiods that would not load the work directory's bundle without a restart. */
async function readStuckIstiods({
  reads,
  mesh,
  workDirCa,
  cacerts,
}: FactSources): Promise<ReturnType<typeof stuckIstiods>> {
  const [deployments, configMaps, own, secret, selfSigned] = await Promise.all([
    reads.read('deployments'),
    reads.read('configMaps'),
    workDirCa(),
    cacerts(),
    readSelfSigned(reads),
  ]);
  const live = configMaps.find(
    ({metadata}) => metadata.name === defaultBundleName && metadata.namespace === mesh.istio.namespace,
  );
  return stuckIstiods({
    istiods: deployments.filter(isIstiod).map(readIstiod),
    cacerts: secret,
    liveBundle: live?.data?.[bundleKey],
    selfSigned,
    newBundle: own.files.rootCert ?? '',
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
