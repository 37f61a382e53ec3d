/**
 * Recognizes the format of a given file: PEM of any kind, a DER certificate, PKCS#7, or a Secret or ConfigMap as printed by
 * kubectl. The input is Sensitive because it can contain private keys; the results are public.
 */
import {defined} from '../defined.js';
import {parsePublicKey} from '../keys/public-key.js';
import {parse} from 'yaml';
import {containsKey} from '../keys/embedded-keys.js';
import {asMeshError, type ErrorReport, MeshError, reportError} from '../errors.js';
import {printableLine} from '../printable.js';
import {Sensitive} from '../sensitive.js';
import {advice, fixWith, kubectlMesh, inspectWith, pipe, words} from '../suggest/suggestion.js';
import type {Certificate} from './certificate.js';
import {certificatesOfBlock, isOtherCertificateLabel, isPkcs12, isPkcs7} from './certificate-blocks.js';
import {describeKey} from '../keys/keys.js';
import {encodePem, parsePem, type PemBlock} from '../asn1/pem.js';
import {type PrivateKeyFacts, readPrivateKeyBlocks} from '../keys/private-key.js';

const inspectSecret = pipe(
  inspectWith.kubectl('any', words`get secret cacerts -n istio-system -o json`),
  kubectlMesh('certs inspect', ['-']),
);

/** A named text: a file, or one data key of a Kubernetes object. */
export interface FilePart {
  readonly name: string;
  readonly content: Sensitive<string>;
  /** What istiod cannot read of the bytes, although this program can. */
  readonly encoding?: 'a byte order mark' | 'the encoding UTF-16' | undefined;
}

/** A recognized file. */
export interface RecognizedFile {
  readonly kind: 'file' | 'secret' | 'configmap';
  /** Only for a Secret or ConfigMap. */
  readonly object?: {readonly name: string; readonly namespace?: string; readonly type?: string};
  readonly parts: readonly FilePart[];
}

/** The parsed content of a part. */
export interface PartContent {
  readonly name: string;
  readonly certificates: readonly Certificate[];
  readonly key?: PrivateKeyFacts;
  /** Blocks of other types, such as `CERTIFICATE REQUEST` or `PUBLIC KEY (rsa-2048)`. */
  readonly others: readonly string[];
  readonly problems: readonly ErrorReport[];
  readonly notes: readonly string[];
}

/** Recognizes a file's bytes. Throws `NOT_PEM` for an unknown format. */
export function recognize(content: Sensitive<Buffer>, name: string): RecognizedFile {
  const {bytes, encoding} = asUtf8(content.reveal());
  // A PKCS#7 can contain any signed text, even PEM: a file that starts like DER is treated as DER.
  const binary = readBinary(bytes, name) ?? readBinary(bareBase64(bytes), name);
  if (binary !== undefined) return oneFile(name, binary);
  if (bytes.includes('-----BEGIN') && !looksLikeObject(bytes)) return oneFile(name, bytes.toString('utf8'), encoding);
  const object = readObject(bytes, name);
  if (object) return object;
  throw new MeshError(
    'NOT_PEM',
    `${name}: unknown format: must be PEM, a DER certificate, PKCS#7, or a Secret or ConfigMap as JSON or YAML`,
    {
      hints: [advice`${inspectSecret}`],
    },
  );
}

function oneFile(name: string, text: string, encoding?: FilePart['encoding']): RecognizedFile {
  return {kind: 'file', parts: [{name, content: new Sensitive(text), encoding}]};
}

/** Text as UTF-8 without a byte order mark, which Windows programs add; PowerShell redirects output as UTF-16. */
function asUtf8(bytes: Buffer): {readonly bytes: Buffer; readonly encoding?: FilePart['encoding']} {
  const utf16 = (text: Buffer) =>
    ({bytes: Buffer.from(text.toString('utf16le'), 'utf8'), encoding: 'the encoding UTF-16'}) as const;
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return utf16(bytes.subarray(2));
  if (bytes[0] === 0xfe && bytes[1] === 0xff && bytes.length % 2 === 0) {
    return utf16(Buffer.from(bytes.subarray(2)).swap16());
  }
  const hasMark = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
  return hasMark ? {bytes: bytes.subarray(3), encoding: 'a byte order mark'} : {bytes};
}

/** DER bytes as PEM; undefined for other bytes. Throws `NOT_PEM` for a PKCS#12, which has a passphrase. */
function readBinary(bytes: Buffer | undefined, name: string): string | undefined {
  // A certificate or PKCS#7 starts with a SEQUENCE whose length has two or more bytes or is indefinite.
  if (bytes?.[0] !== 0x30 || (bytes[1] ?? 0) < 0x80) return undefined;
  if (isPkcs7(bytes)) return encodePem('PKCS7', bytes);
  if (isPkcs12(bytes)) {
    throw new MeshError('NOT_PEM', `${name}: PKCS#12 is not supported: it contains keys and has a passphrase`, {
      hints: [
        advice`extract the certificates with: ${fixWith.run('openssl', words`pkcs12 -in FILE -nokeys -out certificates.pem`)}`,
      ],
    });
  }
  return encodePem('CERTIFICATE', bytes);
}

/** The bytes of a text that is only base64: PEM without its BEGIN and END lines. */
function bareBase64(bytes: Buffer): Buffer | undefined {
  const text = bytes.toString('latin1').trim();
  return /^MI[A-Za-z0-9+/\r\n]+={0,2}$/.test(text) ? Buffer.from(text, 'base64') : undefined;
}

function looksLikeObject(bytes: Buffer): boolean {
  return (
    /^[ \t]*\{|^kind:\s/m.test(bytes.subarray(0, 100_000).toString('utf8')) && /\bkind\b/.test(bytes.toString('utf8'))
  );
}

interface KubernetesObject {
  readonly kind?: unknown;
  readonly type?: unknown;
  readonly metadata?: {readonly name?: unknown; readonly namespace?: unknown};
  readonly data?: unknown;
  readonly stringData?: unknown;
  readonly items?: unknown;
}

function readObject(bytes: Buffer, what: string): RecognizedFile | undefined {
  const value = readYaml(bytes.toString('utf8'));
  if (!isObject(value)) return undefined;
  const object = single(value, what);
  if (object.kind !== 'Secret' && object.kind !== 'ConfigMap') return undefined;
  const secret = object.kind === 'Secret';
  const text = (field: unknown): string | undefined => (typeof field === 'string' ? printableLine(field) : undefined);
  const namespace = text(object.metadata?.namespace);
  const type = text(object.type);
  return {
    kind: secret ? 'secret' : 'configmap',
    object: defined({name: text(object.metadata?.name) ?? '', namespace, type}),
    parts: [
      ...entries(object.data, (data) => (secret ? Buffer.from(data, 'base64').toString('utf8') : data)),
      ...entries(object.stringData, (data) => data),
    ],
  };
}

/** Parses YAML, which includes JSON; undefined for other texts. */
function readYaml(text: string): unknown {
  try {
    return parse(text, {logLevel: 'error'});
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is KubernetesObject {
  return typeof value === 'object' && value !== null;
}

/** The object in `kubectl get` output, which can be a list of one. */
function single(value: KubernetesObject, what: string): KubernetesObject {
  if (!Array.isArray(value.items)) return value;
  const items: readonly unknown[] = value.items;
  const [first] = items;
  if (items.length === 1 && isObject(first)) return first;
  throw new MeshError('NOT_PEM', `${what}: a list of ${String(items.length)} objects: must be a single object`, {
    hints: [advice`${inspectSecret}`],
  });
}

function entries(data: unknown, decode: (value: string) => string): readonly FilePart[] {
  if (!isObject(data)) return [];
  return Object.entries(data as Record<string, unknown>).flatMap(([name, value]) =>
    typeof value === 'string' ? [{name: printableLine(name), content: new Sensitive(decode(value))}] : [],
  );
}

/** The text of a part that is meant to be public, even if it contains a private key, which is a finding. */
export function publicText({content}: FilePart): string {
  return content.reveal();
}

/** Parses every block of a part. Unreadable blocks are reported as problems, not thrown. */
export function readPart({name, content}: FilePart): PartContent {
  const empty: PartContent = {name, certificates: [], others: [], problems: [], notes: []};
  const text = content.reveal();
  if (!text.includes('-----BEGIN')) return {...empty, others: [text === '' ? 'empty' : 'no PEM']};
  try {
    const {blocks, hasCarriageReturns, hasOtherText} = parsePem(text, name);
    return {
      ...empty,
      ...readBlocks(blocks, name),
      notes: [
        ...(hasOtherText ? [otherTextNote(text)] : []),
        ...(hasCarriageReturns ? ['the lines end with CR LF, which istiod accepts'] : []),
        ...(blocks.some(({label}) => isOtherCertificateLabel(label))
          ? ['istiod ignores the certificates that are not in CERTIFICATE blocks']
          : []),
      ],
    };
  } catch (thrown) {
    return {...empty, problems: [reportError(asReadError(thrown))]};
  }
}

/** istiod publishes the text of root-cert.pem and cert-chain.pem with their certificates. */
function otherTextNote(text: string): string {
  const outside = text.replace(/-----BEGIN [^-]*-----[^-]*(?:-(?!-{4})[^-]*)*-----END [^-]*-----/g, '');
  return containsKey(outside)
    ? 'there is a private key in the text outside the PEM blocks, which istiod publishes with the file'
    : 'there is text outside the PEM blocks, which istiod ignores';
}

function readBlocks(
  blocks: readonly PemBlock[],
  name: string,
): Pick<PartContent, 'certificates' | 'key' | 'others' | 'problems'> {
  const certificates: Certificate[] = [];
  const others: string[] = [];
  const problems: ErrorReport[] = [];
  let key: PrivateKeyFacts | undefined;
  for (const [index, block] of blocks.entries()) {
    const where = blocks.length === 1 ? name : `${name} (block ${String(index + 1)})`;
    try {
      const found = certificatesOfBlock(block, where);
      if (found) certificates.push(...found);
      else if (block.label.endsWith('PRIVATE KEY') || block.label === 'EC PARAMETERS')
        key ??= readPrivateKeyBlocks(blocks.slice(index), where);
      else others.push(describeOther(block));
    } catch (thrown) {
      problems.push(reportError(asReadError(thrown)));
    }
  }
  return defined({certificates, others, problems, key});
}

function describeOther({label, bytes}: PemBlock): string {
  if (label !== 'PUBLIC KEY') return printableLine(label);
  return `PUBLIC KEY (${describeKey(parsePublicKey(bytes, label)).name})`;
}

/** Any other error at this point is from OpenSSL, about invalid input. */
function asReadError(thrown: unknown): MeshError {
  if (thrown instanceof MeshError) return thrown;
  return new MeshError('NOT_A_KEY', asMeshError(thrown).message, {cause: thrown});
}
