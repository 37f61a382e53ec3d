/** The files of a cluster that is adopted: certificates, and its CA's key only where that was said. Pure. */
import {defined} from '../../domain/defined.js';
import {type ErrorReport, problem} from '../../domain/errors.js';
import {clusterLayout} from '../../domain/mesh/layout.js';
import type {CaFiles} from '../../domain/ca/ca-files.js';
import {advice} from '../../domain/suggest/advice.js';
import {kubectlMesh} from '../../domain/suggest/suggestion.js';
import {readableRoots} from '../../domain/ca/trust-store.js';
import type {CacertsSecret} from '../../domain/trust/cacerts.js';
import {externalSigner} from './adopt-declaration.js';
import {failed, type Adopted, type Standing} from './adoption.js';

export function takeFiles(one: Adopted, {files: standing}: Standing, withKeys: boolean): Adopted {
  if (one.error || !one.running) return one;
  const {cacerts, selfSigned} = one.running;
  if (cacerts === 'absent') {
    if (externalSigner(one.running) !== undefined) return {...one, keptIn: 'elsewhere'};
    if (selfSigned !== undefined) return {...one, keptIn: 'istio-ca-secret'};
    const what = `${one.name} has neither Secret cacerts nor istio-ca-secret: there is no CA to adopt`;
    return failed(one, problem('NOT_FOUND', what, advice`is istiod up? ${kubectlMesh('verify')} tells more`));
  }
  const paths = clusterLayout(one.name);
  const present = standing.get(one.name) ?? {};
  const found = publicFiles(cacerts);
  const wanted = (['caCert', 'rootCert', 'certChain'] as const).flatMap((part) => {
    const text = found[part];
    return text === undefined ? [] : [{path: paths[part], text, present: present[part]}];
  });
  const clash = wanted.find((file) => file.present !== undefined && !holdsSame(file.present, file.text));
  if (clash) {
    const what = `${clash.path} is not what Secret cacerts of context "${one.context}" holds`;
    const hint = advice`see both: ${kubectlMesh('trust diff', [one.name])}`;
    return failed(one, problem('WORKDIR_CONFLICT', what, hint, 'put the one aside that is not meant'));
  }
  const keyed = wanted.find(({text}) => holdsKey(text));
  if (keyed) return failed(one, keyAmongCertificates(keyed.path, one));
  const {caKey} = cacerts.files;
  const copiesKey = withKeys && caKey !== undefined && present.caKey === undefined && isClusterKey(cacerts);
  return defined({
    ...one,
    keptIn: 'cacerts',
    keeper: cacerts.keeper,
    files: [
      ...wanted.flatMap(({path, text, present: there}) => (there === undefined ? [{path, content: text}] : [])),
      ...(copiesKey ? [{path: paths.caKey, content: caKey}] : []),
    ],
    copiesKey,
  });
}

/** Byte for byte; of the kubernetes.io/tls layout, whose tls.crt may hold the chain, the CA alone. */
function publicFiles({files, inspection}: CacertsSecret): CaFiles {
  return files.layout === 'tls' ? {...files, caCert: inspection.certificate?.pem ?? files.caCert} : files;
}

/** A key that signs for a root, whatever certificate it has here: it is never copied. */
export function isRoot({inspection: {certificate, caCerts = [], chain = [], roots = [], key}}: CacertsSecret): boolean {
  const ofRoots = [...roots, ...[...caCerts, ...chain].filter(({selfSigned}) => selfSigned)].map(({spki}) => spki);
  return [certificate?.spki, key?.spki].some((spki) => spki !== undefined && ofRoots.includes(spki));
}

/** Known to be the key of the certificate beside it, and of no root: what cannot be told is not copied. */
function isClusterKey(cacerts: CacertsSecret): boolean {
  const {certificate, key} = cacerts.inspection;
  return certificate !== undefined && key?.spki === certificate.spki && !isRoot(cacerts);
}

function holdsKey(text: string): boolean {
  return text.includes('PRIVATE KEY');
}

/** Certificates are written for everybody to read, and git takes them. */
function keyAmongCertificates(path: string, {name, context}: Pick<Adopted, 'name' | 'context'>): ErrorReport {
  return problem(
    'CA_FILES_INVALID',
    `Secret cacerts of context "${context}" holds a private key where ${path} would be copied from`,
    advice`put certificates alone there; whoever reads it has that key: ${kubectlMesh('access show', [name])}`,
  );
}

function holdsSame(one: string, other: string): boolean {
  const prints = (text: string): string =>
    readableRoots(text)
      .map(({fingerprint}) => fingerprint)
      .join(' ');
  return one === other || (prints(one) !== '' && prints(one) === prints(other));
}
