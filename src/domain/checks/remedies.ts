/**
 * What resolves a finding about a CA: chosen by what is at fault and by what is possible here, not by the check. A remedy is the
 * least drastic command that resolves the finding, or, where no command can, one that shows its cause, with a note that states
 * what only the user can do.
 */
import {usesCacerts} from '../mesh/signer.js';
import {clusterLayout, layout} from '../mesh/layout.js';
import {type CaSource, describeSource} from '../istio/ca-source.js';
import {cacertsName, defaultBundleName} from '../istio/names.js';
import type {CaOrigin, FaultReason} from '../facts/facts.js';
import {
  advice,
  filePath,
  fixWith,
  type Hint,
  inspectWith,
  inWorkDir,
  kubectlMesh,
  sequence,
  type Suggestion,
  type Word,
  words,
} from '../suggest/suggestion.js';
import type {ClusterSubject, Finding} from './check.js';
import {inspectSource, pushFix, restartFix} from './fixes.js';
import type {Issuing} from './issuing.js';

/** The fix of a finding, and a note. */
export type Remedy = Pick<Finding, 'fix' | 'note'>;

/** The cluster, and how a CA can be issued for it. */
export type RemedySubject = Pick<ClusterSubject, 'cluster' | 'mesh' | 'issuing' | 'otherSources' | 'managers'>;

/** The finding with its remedy. */
export function withRemedy(finding: Omit<Finding, 'fix' | 'note'>, remedy: Remedy): Finding {
  return {...finding, ...remedy};
}

/** Several remedies in sequence. */
export function inSequence(first: Remedy, ...others: readonly Remedy[]): Remedy {
  const notes = [first, ...others].flatMap(({note}) => note ?? []);
  return {fix: sequence(first.fix, ...others.map(({fix}) => fix)), note: notes[0]};
}

/** The remedy for a fault in the files of a cluster CA. */
export function remedyFor(reason: FaultReason, subject: RemedySubject): Remedy {
  if (typeof reason === 'object') return replaceAbove(reason.above, subject);
  return remedies[reason](subject);
}

const remedies: Readonly<Record<Extract<FaultReason, string>, (subject: RemedySubject) => Remedy>> = {
  form: (subject) => withPush(kubectlMesh('certs rewrite', [subject.cluster.name, '--yes']), subject),
  // In all clusters and in the mesh's root-cert.pem at once: they have to agree.
  'expired root': (subject) => withPush(kubectlMesh('certs rewrite', words`--remove-expired-roots --yes`), subject),
  'cluster CA': newCa,
  'encrypted key': (subject) => (subject.issuing.by === 'nothing' ? decryptKey(subject) : newCa(subject)),
  nothing: ({cluster: {name}}) => ({
    fix: kubectlMesh('certs inspect', [name]),
    note: 'istiod and proxies accept it: nothing has to change',
  }),
};

/** Changes the files, and pushes them if the cluster has a context, and its istiod reads what is pushed, for good. */
function withPush(change: Suggestion, subject: RemedySubject): Remedy {
  const {cluster, otherSources, managers} = subject;
  const source = otherSources?.get(cluster.name);
  if (source) return {...showSource(source, subject), fix: change};
  const manager = managers?.get(cluster.name);
  if (manager !== undefined) return {fix: change, note: overwrittenBy(manager)};
  return {fix: cluster.context === undefined ? change : sequence(change, pushFix({cluster}))};
}

/**
 * Replaces the key and certificate of a cluster CA, and pushes them if the cluster has a context. With an external CA it creates
 * the request; the user continues once the CA has returned a chain.
 */
export function newCa(subject: RemedySubject): Remedy {
  return issued(subject, '--renew');
}

/** The same for a cluster without a CA: nothing is replaced. */
export function firstCa(subject: RemedySubject): Remedy {
  return issued(subject);
}

/**
 * Replaces a cluster CA that expires, in the files and in the cluster, where this program issues and pushes it; otherwise as
 * {@link newCa}.
 */
export function rotateCa(subject: RemedySubject): Remedy {
  const {cluster, issuing, otherSources, managers} = subject;
  const {name, context} = cluster;
  const isPushed = context !== undefined && !otherSources?.has(name) && !managers?.has(name);
  if (issuing.by !== 'certs generate' || !isPushed) return newCa(subject);
  const words = [name, '--restart-istiod', '--yes', ...rootDirectory(subject)];
  return {fix: kubectlMesh('trust rotate cluster-ca', words)};
}

function issued(subject: RemedySubject, ...renew: readonly '--renew'[]): Remedy {
  const {cluster, mesh, issuing} = subject;
  const {name} = cluster;
  switch (issuing.by) {
    case 'certs generate': {
      const confirmed = renew.map((flag) => [flag, '--yes']).flat();
      return withPush(kubectlMesh('certs generate', [name, ...confirmed, ...rootDirectory(subject)]), subject);
    }
    case 'certs request':
      return {fix: kubectlMesh('certs request', [name, ...renew])};
    case 'external issuer':
      return {
        fix:
          cluster.context === undefined
            ? kubectlMesh('certs list')
            : inspectWith.kubectl(cluster, words`-n ${mesh.istio.namespace} describe certificates.cert-manager.io`),
        note: `${issuing.why}: only that tool can replace the CA`,
      };
    case 'nothing':
      return {fix: kubectlMesh('certs list'), note: whyNothing(subject, issuing)};
  }
}

/** An absolute directory may be that of `--root-dir`, which `certs generate` requires then. */
function rootDirectory({mesh: {trust}}: RemedySubject): readonly Word[] {
  const {signer} = trust;
  const directory = signer.type === 'local' ? signer.directory : undefined;
  return directory?.startsWith('/') === true ? ['--root-dir', filePath(directory)] : [];
}

function whyNothing({cluster: {name}}: RemedySubject, {lacks, why}: Extract<Issuing, {by: 'nothing'}>): Hint {
  const renew = kubectlMesh('certs generate', words`${name} --renew`);
  const cannot = `a new CA for ${name} is required, but cannot be issued here: ${why}`;
  switch (lacks) {
    case 'the root key':
      return advice`${cannot}; run ${renew} where the root key is, or specify its directory with --root-dir DIR`;
    case 'the root':
      return advice`${cannot}; decide which root the mesh keeps, copy its ${layout.rootCert} to the work directory, then run ${renew} where its key is`;
    case 'a usable root':
      return cannot;
    case 'unknown':
      return advice`a new CA for ${name} is required, but whether it can be issued here is unknown (${why}): ${renew}`;
  }
}

/** For a fault in a root or in a CA between it and the cluster CAs. */
export const remedyOfIssuer: Remedy = {
  fix: kubectlMesh('certs list'),
  note: 'the fault is in a root or a CA above the cluster CA: replace that certificate with the tool that issued it; a new cluster CA under it has the same fault',
};

/** A new cluster CA has the same certificates above it, unless the signer is below others. */
function replaceAbove(above: string | undefined, subject: RemedySubject): Remedy {
  const {issuing} = subject;
  if (above !== undefined && issuing.by === 'certs generate' && !issuing.signing.includes(above)) return newCa(subject);
  return remedyOfIssuer;
}

/** Keeps the key; OpenSSL prompts for its passphrase. */
function decryptKey(subject: RemedySubject): Remedy {
  const {caKey} = clusterLayout(subject.cluster.name);
  const [key, plain] = [inWorkDir(caKey), inWorkDir(`${caKey}.plain`)];
  return {
    fix: sequence(fixWith.run('openssl', words`pkey -in ${key} -out ${plain}`), fixWith.run('mv', [plain, key])),
  };
}

/** Restarts istiod so that it loads what it mounts; shows that if this program cannot read it: it may not be the expected CA. */
export function restart(origin: CaOrigin | undefined, subject: RemedySubject, ...istiods: readonly string[]): Remedy {
  return origin?.from === 'mounted' && origin.source.from !== 'secret'
    ? showSource(origin.source, subject)
    : {fix: restartFix(subject, ...istiods)};
}

/** Makes istiod load the CA in the cluster's Secret, which is the right one. */
export function loadCa(origin: CaOrigin | undefined, subject: RemedySubject): Remedy {
  const {cluster} = subject;
  switch (origin?.from) {
    case 'mounted':
      return showSource(origin.source, subject);
    // A push would not help: the work directory holds no CA.
    case 'external':
      return {fix: restartFix(subject)};
    // Unlike a push, a restart does not check for workloads that run under a root which it removes.
    case 'none':
      return {
        fix: kubectlMesh('certs list', [cluster.name, '--live']),
        note: advice`restore the CA files in ${cluster.name}/ from Git or a backup, then run ${pushFix(subject)}`,
      };
    default:
      return {fix: pushFix(subject)};
  }
}

/** No push reaches an istiod that does not read Secret cacerts, and no restart helps. */
export function showSource(source: CaSource, subject: RemedySubject): Remedy {
  return {
    fix: inspectSource(source, subject),
    note: `istiod reads its CA from ${describeSource(source)}: change the CA there, or the installation, so that it mounts Secret cacerts at its ROOT_CA_DIR`,
  };
}

/** What a push to a Secret that another tool manages comes to. */
export function overwrittenBy(manager: string, secret = cacertsName): string {
  return `${manager} manages Secret ${secret} and overwrites what a push writes: change the CA there`;
}

/** Gives istiod the CA that it should sign with, where the Secret is missing or wrong. `restart`: see {@link pushFix}. */
export function provideCa(origin: CaOrigin | undefined, subject: RemedySubject, restart = true): Remedy {
  if (origin?.from === 'mounted') return showSource(origin.source, subject);
  if (origin?.from === 'external') return {fix: restartFix(subject)};
  return origin?.from === 'none' ? firstCa(subject) : {fix: pushFix(subject, restart)};
}

/** `cert-manager Certificate istio-ca`, a value of `CaOrigin.managedBy`. */
const certManagerCertificate = /^cert-manager Certificate (\S+)$/;

/** Replaces a cluster CA with the tool that issues it. `renew`: how this program does. */
export function replaceCa(origin: CaOrigin | undefined, subject: RemedySubject, renew = newCa): Remedy {
  if (origin?.from === 'mounted') return showSource(origin.source, subject);
  if (origin?.from !== 'external') return renew(subject);
  const {cluster, mesh} = subject;
  const {namespace} = mesh.istio;
  // There is no Secret to inspect: only the bundle that workloads get can be shown.
  if (!usesCacerts(mesh.trust.signer)) {
    return {fix: inspectWith.kubectl(cluster, words`-n ${namespace} get configmap ${defaultBundleName} -o yaml`)};
  }
  const [, certificate] = certManagerCertificate.exec(origin.managedBy ?? '') ?? [];
  if (origin.managedBy === 'cert-manager') {
    return {fix: inspectWith.kubectl(cluster, words`-n ${namespace} describe certificates.cert-manager.io`)};
  }
  // kubectl alone cannot set the condition that makes cert-manager issue again, so this uses cmctl.
  return {
    fix:
      certificate === undefined
        ? inspectWith.kubectl(cluster, words`-n ${namespace} describe secret/cacerts`)
        : fixWith.cmctl(cluster, words`renew -n ${namespace} ${certificate}`),
  };
}
