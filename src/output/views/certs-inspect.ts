import {formatFingerprint} from '../../domain/keys/keys.js';
import {printableLine} from '../../domain/printable.js';
import type {InspectedCertificate, InspectedKey, InspectResult} from '../../operations/certs/inspect.js';
import {errorLines, formatExactExpiry, formatSecond} from '../format.js';
import type {View} from '../view.js';

/** `certs inspect`: a block for each certificate and key, then whether istiod would load them. */
export const certsInspectView: View<InspectResult> = {
  text: (result, {now}) =>
    [
      heading(result),
      ...distinct(result.certificates).map((certificate) => certificateBlock(certificate, now)),
      ...result.keys.map(keyBlock),
      ...block(result.others.map(({in: where, what}) => `${where}: ${what}`)),
      ...block(result.problems.flatMap(errorLines)),
      ...block(result.notes),
      ...istiodBlock(result),
    ].join('\n\n'),
};

function block(lines: readonly string[]): readonly string[] {
  return lines.length > 0 ? [lines.map(printableLine).join('\n')] : [];
}

/** A certificate in several files is printed once, with the names of all of them. */
function distinct(certificates: readonly InspectedCertificate[]): readonly InspectedCertificate[] {
  const names = (fingerprint: string): string =>
    [...new Set(certificates.filter((one) => one.fingerprint === fingerprint).map((one) => one.in))].join(', ');
  return certificates
    .filter((one, index) => certificates.findIndex(({fingerprint}) => fingerprint === one.fingerprint) === index)
    .map((one) => ({...one, in: names(one.fingerprint)}));
}

function heading({source, kind, object}: InspectResult): string {
  if (!object) return `${source}${kind === 'cluster' ? ' (cluster in this work directory)' : ''}`;
  const name = object.namespace === undefined ? object.name : `${object.namespace}/${object.name}`;
  const type = object.type === undefined ? '' : `, type ${object.type}`;
  return `${source} (${kind === 'secret' ? 'Secret' : 'ConfigMap'} ${name}${type})`;
}

function fields(title: string, pairs: readonly (readonly [string, string | undefined])[]): string {
  const present = pairs.flatMap(([name, value]) =>
    value === undefined || value === '' ? [] : [[name, value] as const],
  );
  const width = Math.max(...present.map(([name]) => name.length));
  return [title, ...present.map(([name, value]) => `  ${name.padEnd(width)}  ${printableLine(value)}`)].join('\n');
}

function certificateBlock(certificate: InspectedCertificate, now: Date): string {
  const {ca, pathLength, ours, nameConstraints, state} = certificate;
  return fields(`${certificate.in}: certificate`, [
    ['Subject', certificate.subject],
    ['Issuer', certificate.selfSigned ? `${certificate.issuer} (self-signed)` : certificate.issuer],
    ['Not before', formatSecond(certificate.notBefore)],
    ['Not after', `${formatExactExpiry(certificate.notAfter, now)}${state === 'ok' ? '' : ` (${state})`}`],
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
    ['Unhandled critical', certificate.unhandledCritical?.join(', ')],
    ['In this mesh', ours === undefined ? undefined : ours ? `yes, ${inMesh(certificate)}` : 'no'],
  ]);
}

function inMesh({selfSigned}: InspectedCertificate): string {
  return selfSigned ? "a root in the work directory's root-cert.pem" : "chains to the work directory's root";
}

function keyBlock(key: InspectedKey): string {
  const {encryption} = key;
  return fields(`${key.in}: private key`, [
    ['PEM type', key.label],
    ['Key', key.key ?? (encryption ? 'encrypted: reading it requires its passphrase' : 'not readable')],
    ['Encryption', encryption && `${encryption.cipher}, ${encryption.kdf}${encryption.weak ? ' (weak)' : ''}`],
    ['Public key SHA-256', key.publicKeyFingerprint && formatFingerprint(key.publicKeyFingerprint)],
    ['Belongs to', key.belongsTo.join('; ')],
  ]);
}

const rootWords = {
  inspected: ', checked against the root that it contains',
  'work directory': ", checked against the work directory's root-cert.pem",
  none: ', checked without a root: neither it nor the work directory contains one',
} as const;

function istiodBlock({istiod}: InspectResult): readonly string[] {
  if (!istiod) return [];
  const messages = (effect: 'refused' | 'silent'): readonly string[] =>
    istiod.findings
      .filter((finding) => finding.effect === effect)
      .map(({severity, message}) => `  ${severity}: ${printableLine(message)}`);
  const silent = messages('silent');
  return [
    [
      `istiod would ${istiod.loads ? 'load' : 'refuse'} this as ${istiod.as}${istiod.root === undefined ? '' : rootWords[istiod.root]}`,
      ...messages('refused'),
      ...(silent.length > 0 ? ['Problems that istiod does not report:', ...silent] : []),
    ].join('\n'),
  ];
}
