/** The files of a cluster that is adopted: certificates, and its CA's key only where that was said. Pure. */
import {defined} from '../../domain/defined.js';
import {problem} from '../../domain/errors.js';
import {clusterLayout} from '../../domain/mesh/layout.js';
import type {CaFiles} from '../../domain/ca/ca-files.js';
import {advice} from '../../domain/suggest/advice.js';
import {kubectlMesh} from '../../domain/suggest/suggestion.js';
import {readableRoots} from '../../domain/ca/trust-store.js';
import type {CacertsSecret} from '../../domain/trust/cacerts.js';
import {externalSigner} from './adopt-declaration.js';
import type {Good, Refused, Seen, Standing} from './adoption.js';

/** What is adopted of a cluster, or why its files cannot be taken. What is there already is never overwritten. */
export function takeFiles(one: Seen, {files: standing}: Standing, withKeys: boolean): Good | Refused {
  const {context, name, running} = one;
  const {cacerts, selfSigned} = running;
  const refuse = (...said: Parameters<typeof problem>): Refused => ({context, name, error: problem(...said)});
  if (cacerts === 'absent') {
    const none = {...one, files: [], copiesKey: false};
    if (externalSigner(running) !== undefined) return {...none, keptIn: 'elsewhere'};
    if (selfSigned !== undefined) return {...none, keptIn: 'istio-ca-secret'};
    const what = `${name} has neither Secret cacerts nor istio-ca-secret: there is no CA to adopt`;
    return refuse('NOT_FOUND', what, advice`is istiod up? ${kubectlMesh('verify')} tells more`);
  }
  const paths = clusterLayout(name);
  const present = standing.get(name) ?? {};
  const found = publicFiles(cacerts);
  const wanted = (['caCert', 'rootCert', 'certChain'] as const).flatMap((part) => {
    const content = found[part];
    return content === undefined ? [] : [{path: paths[part], content, present: present[part]}];
  });
  const clash = wanted.find((file) => file.present !== undefined && !holdsSame(file.present, file.content));
  if (clash) {
    return refuse(
      'WORKDIR_CONFLICT',
      `${clash.path} is not what Secret cacerts of context "${context}" holds`,
      advice`see both: ${kubectlMesh('trust diff', [name])}`,
      'put the one aside that is not meant',
    );
  }
  // Certificates are written for everybody to read, and git takes them.
  const keyed = wanted.find(({content}) => content.includes('PRIVATE KEY'));
  if (keyed) {
    return refuse(
      'CA_FILES_INVALID',
      `Secret cacerts of context "${context}" holds a private key where ${keyed.path} would be copied from`,
      advice`put certificates alone there; whoever reads it has that key: ${kubectlMesh('access show', [name])}`,
    );
  }
  const {caKey} = cacerts.files;
  const copiesKey = withKeys && caKey !== undefined && present.caKey === undefined && isClusterKey(cacerts);
  const missing = wanted.flatMap(({path, content, present: there}) => (there === undefined ? [{path, content}] : []));
  return defined({
    ...one,
    keptIn: 'cacerts',
    keeper: cacerts.keeper,
    files: [...missing, ...(copiesKey ? [{path: paths.caKey, content: caKey}] : [])],
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

function holdsSame(one: string, other: string): boolean {
  const prints = (text: string): string =>
    readableRoots(text)
      .map(({fingerprint}) => fingerprint)
      .join(' ');
  return one === other || (prints(one) !== '' && prints(one) === prints(other));
}
