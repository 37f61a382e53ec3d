/** A program that signs, for example with a KMS or HSM; the key is not a file (the protocol is in docs/signers.md). */
import {formatSize} from '../domain/format.js';
import {memoizePerRun} from '../domain/memoize.js';
import {defined} from '../domain/defined.js';
import type {KeyObject} from 'node:crypto';
import {isAbsolute, resolve} from 'node:path';
import {asMeshError, MeshError} from '../domain/errors.js';
import {layout} from '../domain/mesh/layout.js';
import type {SignerSpecOf} from '../domain/mesh/signer.js';
import {signatureAlgorithmFor} from '../domain/x509/algorithms.js';
import {describeKey, spkiHash} from '../domain/keys/keys.js';
import {parsePkcs1PublicKey, parsePublicKey} from '../domain/keys/public-key.js';
import {parsePem} from '../domain/asn1/pem.js';
import {type GivenSignature, signatureFault} from '../domain/x509/signature-fault.js';
import type {Signer} from '../domain/x509/certificate.js';
import {printable, printableLine} from '../domain/printable.js';
import {advice, type Advice, inspectWith} from '../domain/suggest/suggestion.js';
import {lastLines} from '../tools/child-output.js';
import type {ExchangeResult} from '../tools/programs.js';
import {createAuthorityIssuer, readRoots, readSigningCertificates, upwardFrom} from './authority.js';
import type {SignerContext, SignerModule} from './signer-module.js';

type CommandSpec = SignerSpecOf<'command'>;

/** Timeout of a call: a KMS responds within a second, entering a PIN or touching a token takes longer. Milliseconds. */
const timeoutMs = 120_000;

/** Larger than any public key or signature. Bytes. */
const maxOutputBytes = 64 * 1024;

/** Go, in which istiod verifies certificates, rejects smaller keys (crypto/rsa, since Go 1.24). */
const minRsaBits = 2048;

/** `{type: command}`. */
export const commandSigner: SignerModule<'command'> = {
  async survey(spec, context) {
    const what = programName(spec);
    const {known, upward} = await upwardOf(spec, context);
    if (upward.length > 0) return {kind: 'ready', what, upward};
    if (!known) return {kind: 'rootless', what};
    throw keyMismatch(spec);
  },
  async surveyLocally(spec, context) {
    await readSigningCertificates(context.workspace, spec.certificate);
    return programName(spec);
  },
  async open(spec, context) {
    const {signer, upward} = await upwardOf(spec, context);
    const [certificate, ...above] = upward;
    if (!certificate) throw keyMismatch(spec);
    return createAuthorityIssuer({signer, certificate, above}, programName(spec));
  },
  rootSigner: (spec, context) => programSigner(spec, context),
};

/** The program's name in messages, without its arguments, which may be long and are in mesh.yaml. */
function programName({argv}: CommandSpec): string {
  return printableLine(argv[0] ?? '');
}

async function upwardOf(spec: CommandSpec, context: SignerContext) {
  const [roots, certificates, signer] = await Promise.all([
    readRoots(context.workspace),
    readSigningCertificates(context.workspace, spec.certificate),
    programSigner(spec, context),
  ]);
  const known = roots.length > 0 || certificates.length > 0;
  return {signer, known, upward: upwardFrom(spkiHash(signer.publicKey), certificates, roots)};
}

function keyMismatch(spec: CommandSpec): MeshError {
  const where = spec.certificate ?? layout.rootCert;
  return new MeshError(
    'WORKDIR_CONFLICT',
    `the key of ${programName(spec)} does not belong to a certificate in ${where}`,
    {
      hints: ['select the key of that certificate in trust.signer.argv', 'to replace the root, see docs/trust.md'],
    },
  );
}

/** The public key is read once per run, because the program may prompt for a PIN. */
const programSigner = memoizePerRun(openProgram);

async function openProgram(spec: CommandSpec, context: SignerContext): Promise<Signer> {
  const name = programName(spec);
  const result = await exchange(spec, context, ['public-key']);
  const fault = failureOf(result, `${name} public-key`);
  if (fault !== undefined)
    throw new MeshError('SIGNER_UNAVAILABLE', fault, {hints: [manualRunHint(spec, ['public-key'])]});
  const publicKey = readPublicKey(result.stdout, name);
  const algorithm = signatureAlgorithmFor(publicKey);
  const {modulusLength = minRsaBits} = publicKey.asymmetricKeyDetails ?? {};
  if (!algorithm || modulusLength < minRsaBits) {
    throw new MeshError(
      'UNSUPPORTED_KEY',
      `${name} has a key of type ${describeKey(publicKey).name}: only RSA of at least 2048 bits, ECDSA P-256 and ECDSA P-384 are supported`,
    );
  }
  // One signature at a time: tokens allow one session, and two PIN prompts cannot be distinguished.
  let last: Promise<unknown> = Promise.resolve();
  return {
    publicKey,
    algorithm,
    sign(message) {
      const signature = last.then(() => sign(spec, context, {message, publicKey, algorithm}));
      last = signature.catch(() => undefined);
      return signature;
    },
  };
}

type ToSign = Omit<GivenSignature, 'signature'>;

async function sign(spec: CommandSpec, context: SignerContext, toSign: ToSign): Promise<Uint8Array> {
  const {message, algorithm} = toSign;
  const name = programName(spec);
  const result = await exchange(spec, context, ['sign', algorithm], message);
  const failure = failureOf(result, `${name} sign ${algorithm}`);
  if (failure !== undefined) throw new MeshError('SIGNER_REFUSED', failure);
  const fault = signatureFault({...toSign, signature: result.stdout});
  if (fault === undefined) return result.stdout;
  throw new MeshError('SIGNER_REFUSED', `${name} ${fault}`, {
    hints: [manualRunHint(spec, ['sign', algorithm], ' < MESSAGE')],
  });
}

async function exchange(
  {argv}: CommandSpec,
  context: SignerContext,
  args: readonly string[],
  input?: Uint8Array,
): Promise<ExchangeResult> {
  const [program = '', ...own] = argv;
  const {root} = context.workspace;
  const runner = await context.runner();
  await context.terminal?.rest();
  try {
    return await runner.exchange(
      defined({
        // As in a shell: without a slash it is found in PATH; otherwise it is relative to the work directory.
        file: program.includes('/') && !isAbsolute(program) ? resolve(root, program) : program,
        args: [...own, ...args],
        input,
        cwd: root,
        timeoutMs: timeoutMs,
        maxBytes: maxOutputBytes,
        onErrorText: context.terminal && ((text) => context.terminal?.write(text)),
      }),
    );
  } catch (thrown) {
    const error = asMeshError(thrown);
    if (error.code !== 'TIMEOUT' || context.signal.aborted) throw error;
    throw new MeshError('SIGNER_UNAVAILABLE', error.message, {hints: error.hints});
  }
}

/** Why the program returned no result; undefined if it did. */
function failureOf({exitCode, tooLong, stderr}: ExchangeResult, what: string): string | undefined {
  if (tooLong) return `${what} printed more than ${formatSize(maxOutputBytes)}`;
  if (exitCode === 0) return undefined;
  const how = exitCode === undefined ? 'was terminated by a signal' : `failed (exit ${String(exitCode)})`;
  return `${what} ${how}: ${lastLines(stderr)}`;
}

function manualRunHint({argv: [program = '', ...own]}: CommandSpec, more: readonly string[], input = ''): Advice {
  const command = inspectWith.run(printableLine(program), [...own.map(printableLine), ...more]);
  return advice`run it manually in the work directory: ${command}${input}`;
}

/** Parses a public key in PEM (PUBLIC KEY, or RSA PUBLIC KEY) or DER (SubjectPublicKeyInfo). */
function readPublicKey(output: Buffer, name: string): KeyObject {
  const invalid = (what: string): MeshError =>
    new MeshError('SIGNER_UNAVAILABLE', `${name} public-key ${what}`, {
      hints: ['print the public key as PEM ("BEGIN PUBLIC KEY") or as DER (SubjectPublicKeyInfo)'],
    });
  if (output.length === 0) throw invalid('printed nothing');
  const text = output.toString('latin1');
  if (text.includes('PRIVATE KEY-----')) throw invalid('printed a private key, which must never be printed');
  if (text.includes('-----BEGIN CERTIFICATE')) throw invalid('printed a certificate');
  try {
    if (!text.includes('-----BEGIN')) return parsePublicKey(output, name);
    const block = parsePem(text, name).blocks.find(({label}) => label.endsWith('PUBLIC KEY'));
    if (!block) throw invalid('did not print a public key');
    return block.label === 'PUBLIC KEY' ? parsePublicKey(block.bytes, name) : parsePkcs1PublicKey(block.bytes, name);
  } catch {
    const [first = ''] = printable(text).split('\n');
    const excerpt = /^[\t -~]{4,}$/.test(first) ? ` ("${first.slice(0, 40)}")` : '';
    throw invalid(`did not print a public key${excerpt}`);
  }
}
