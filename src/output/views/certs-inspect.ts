import {formatFingerprint} from '../../domain/keys/keys.js';
import {printableLine} from '../../domain/printable.js';
import type {InspectedCertificate, InspectedKey, InspectResult} from '../../operations/certs/inspect.js';
import {errorLines} from '../format.js';
import type {View} from '../view.js';

/** `certs inspect`: a block for each certificate and key, then istiod's word. */
export const certsInspectView: View<InspectResult> = {
  text: (result) =>
    [
      heading(result),
      ...onceEach(result.certificates).map(certificateBlock),
      ...result.keys.map(keyBlock),
      ...block(result.others.map(({in: where, what}) => `${where}: ${what}`)),
      ...block(result.problems.flatMap(errorLines)),
      ...block(result.notes),
      ...opinion(result),
    ].join('\n\n'),
};

function block(lines: readonly string[]): readonly string[] {
  return lines.length > 0 ? [lines.map(printableLine).join('\n')] : [];
}

/** A certificate that stands in several files is shown once, with all their names. */
function onceEach(certificates: readonly InspectedCertificate[]): readonly InspectedCertificate[] {
  const names = (fingerprint: string): string =>
    [...new Set(certificates.filter((one) => one.fingerprint === fingerprint).map((one) => one.in))].join(', ');
  return certificates
    .filter((one, index) => certificates.findIndex(({fingerprint}) => fingerprint === one.fingerprint) === index)
    .map((one) => ({...one, in: names(one.fingerprint)}));
}

function heading({source, kind, object}: InspectResult): string {
  if (!object) return `${source}${kind === 'cluster' ? ' (cluster of this work directory)' : ''}`;
  const name = object.namespace === undefined ? object.name : `${object.namespace}/${object.name}`;
  const type = object.type === undefined ? '' : `, type ${object.type}`;
  return `${source} (${kind === 'secret' ? 'Secret' : 'ConfigMap'} ${name}${type})`;
}

function fields(title: string, pairs: readonly (readonly [string, string | undefined])[]): string {
  const said = pairs.flatMap(([name, value]) => (value === undefined || value === '' ? [] : [[name, value] as const]));
  const width = Math.max(...said.map(([name]) => name.length));
  return [title, ...said.map(([name, value]) => `  ${name.padEnd(width)}  ${printableLine(value)}`)].join('\n');
}

function certificateBlock(certificate: InspectedCertificate): string {
  const {ca, pathLength, ours, nameConstraints} = certificate;
  const left =
    certificate.state === 'expired'
      ? 'expired'
      : `${String(certificate.daysLeft)} days left${certificate.state === 'ok' ? '' : `, ${certificate.state}`}`;
  return fields(`${certificate.in}: certificate`, [
    ['Subject', certificate.subject],
    ['Issuer', certificate.selfSigned ? `${certificate.issuer} (self-signed)` : certificate.issuer],
    ['Not before', certificate.notBefore],
    ['Not after', `${certificate.notAfter} (${left})`],
    ['Key', certificate.key],
    ['Signature', certificate.signatureAlgorithm],
    ['Serial', certificate.serial],
    ['SHA-256', formatFingerprint(certificate.fingerprint)],
    ['CA', ca ? `yes${pathLength === undefined ? '' : `, pathlen:${String(pathLength)}`}` : 'no'],
    ['Key usage', certificate.keyUsage?.join(', ')],
    ['Extended', certificate.extendedKeyUsage?.join(', ')],
    ['Names', certificate.subjectAltNames?.join(', ')],
    ['Permitted', nameConstraints?.permitted.join(', ')],
    ['Excluded', nameConstraints?.excluded.join(', ')],
    ['Key id', certificate.subjectKeyId],
    ['Issuer key id', certificate.authorityKeyId],
    ['Critical, unknown', certificate.unhandledCritical?.join(', ')],
    ['Ours', ours === undefined ? undefined : ours ? "yes, below this work directory's root" : 'no'],
  ]);
}

function keyBlock(key: InspectedKey): string {
  const {encryption} = key;
  return fields(`${key.in}: private key`, [
    ['PEM type', key.label],
    ['Key', key.key ?? (encryption ? 'encrypted: not readable without its passphrase' : 'not readable')],
    ['Encryption', encryption && `${encryption.cipher}, ${encryption.kdf}${encryption.weak ? ' (weak)' : ''}`],
    ['Public key SHA-256', key.publicKeyFingerprint && formatFingerprint(key.publicKeyFingerprint)],
    ['Belongs to', key.belongsTo.join('; ')],
  ]);
}

const rootWords = {
  inspected: ', judged against the root that it has itself',
  'work directory': ", judged against the work directory's root-cert.pem",
  none: ', judged without a root: neither it nor the work directory has one',
} as const;

function opinion({istiod}: InspectResult): readonly string[] {
  if (!istiod) return [];
  const said = (effect: 'refused' | 'silent'): readonly string[] =>
    istiod.findings
      .filter((finding) => finding.effect === effect)
      .map(({severity, message}) => `  ${severity}: ${printableLine(message)}`);
  const silent = said('silent');
  return [
    [
      `istiod would ${istiod.loads ? 'load' : 'refuse'} this as ${istiod.as}${istiod.root === undefined ? '' : rootWords[istiod.root]}`,
      ...said('refused'),
      ...(silent.length > 0 ? ['What istiod does not say, and what hurts:', ...silent] : []),
    ].join('\n'),
  ];
}
