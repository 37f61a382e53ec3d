/** A program that signs: it stands for a KMS or HSM, and the key is no file (docs/signers.md says the protocol). */
import {formatSize} from '../domain/format.js';
import {oncePerRun} from '../domain/memoize.js';
import {defined} from '../domain/defined.js';
import {createPublicKey, type KeyObject} from 'node:crypto';
import {isAbsolute, resolve} from 'node:path';
import {asMeshError, MeshError} from '../domain/errors.js';
import {layout} from '../domain/mesh/layout.js';
import type {SignerSpecOf} from '../domain/mesh/signer.js';
import {signatureAlgorithmFor} from '../domain/x509/algorithms.js';
import {describeKey, spkiHash} from '../domain/keys/keys.js';
import {type GivenSignature, signatureFault} from '../domain/x509/signature-fault.js';
import type {Signer} from '../domain/x509/certificate.js';
import {printable, printableLine} from '../domain/printable.js';
import {advice, type Advice, inspectWith} from '../domain/suggest/suggestion.js';
import {lastLines} from '../tools/child-output.js';
import type {ExchangeResult} from '../tools/runner.js';
import {createAuthorityIssuer, readRoots, readSigningCertificates, upwardFrom} from './authority.js';
import type {SignerContext, SignerModule} from './signer-module.js';

type CommandSpec = SignerSpecOf<'command'>;

/** How long a program may take: a KMS answers in a second, a person with a PIN or a touch key takes longer. Milliseconds. */
const answerMs = 120_000;

/** More than a public key or a signature ever is. Bytes. */
const maxAnswer = 64 * 1024;

/** Go, which istiod and Envoy's peers are checked with, refuses smaller ones (crypto/rsa, since Go 1.24). */
const minRsaBits = 2048;

/** `{type: command}`. */
export const commandSigner: SignerModule<'command'> = {
  async survey(spec, context) {
    const what = programName(spec);
    const {known, upward} = await upwardOf(spec, context);
    if (upward.length > 0) return {kind: 'ready', what, upward};
    if (!known) return {kind: 'rootless', what};
    throw otherKey(spec);
  },
  async open(spec, context) {
    const {signer, upward} = await upwardOf(spec, context);
    const [certificate, ...above] = upward;
    if (!certificate) throw otherKey(spec);
    return createAuthorityIssuer({signer, certificate, above}, programName(spec));
  },
  rootSigner: (spec, context) => programSigner(spec, context),
};

/** The program, as messages name it: its arguments may be long, and are in mesh.yaml. */
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

function otherKey(spec: CommandSpec): MeshError {
  const where = spec.certificate ?? layout.rootCert;
  return new MeshError('WORKDIR_CONFLICT', `${programName(spec)} holds another key than any certificate in ${where}`, {
    hints: [
      'Name the key that belongs to the certificate, in trust.signer.argv',
      'Another root is a change of root: see docs/trust.md',
    ],
  });
}

/** A program is asked for its public key once per run: it may ask a person for a PIN. */
const programSigner = oncePerRun(openProgram);

async function openProgram(spec: CommandSpec, context: SignerContext): Promise<Signer> {
  const name = programName(spec);
  const answer = await exchange(spec, context, ['public-key']);
  const fault = failure(answer, `${name} public-key`);
  if (fault !== undefined) throw new MeshError('SIGNER_UNAVAILABLE', fault, {hints: [byHand(spec, ['public-key'])]});
  const publicKey = readPublicKey(answer.stdout, name);
  const algorithm = signatureAlgorithmFor(publicKey);
  const {modulusLength = minRsaBits} = publicKey.asymmetricKeyDetails ?? {};
  if (!algorithm || modulusLength < minRsaBits) {
    throw new MeshError(
      'UNSUPPORTED_KEY',
      `${name} holds a key of type ${describeKey(publicKey).name}: this program signs with RSA from 2048 bits, ECDSA P-256 and ECDSA P-384 only`,
    );
  }
  // One at a time: tokens take one session, and two questions for a PIN cannot be told apart.
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
  const answer = await exchange(spec, context, ['sign', algorithm], message);
  const failed = failure(answer, `${name} sign ${algorithm}`);
  if (failed !== undefined) throw new MeshError('SIGNER_REFUSED', failed);
  const fault = signatureFault({...toSign, signature: answer.stdout});
  if (fault === undefined) return answer.stdout;
  throw new MeshError('SIGNER_REFUSED', `${name} ${fault}`, {hints: [byHand(spec, ['sign', algorithm], ' < MESSAGE')]});
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
        // Found in PATH without a slash, as in a shell; else relative to the work directory, wherever this runs.
        file: program.includes('/') && !isAbsolute(program) ? resolve(root, program) : program,
        args: [...own, ...args],
        input,
        cwd: root,
        timeoutMs: answerMs,
        maxBytes: maxAnswer,
        onErrorText: context.terminal && ((text) => context.terminal?.write(text)),
      }),
    );
  } catch (thrown) {
    const error = asMeshError(thrown);
    if (error.code !== 'TIMEOUT' || context.signal.aborted) throw error;
    throw new MeshError('SIGNER_UNAVAILABLE', error.message, {hints: error.hints});
  }
}

/** What kept the program from answering at all. */
function failure({exitCode, tooLong, stderr}: ExchangeResult, what: string): string | undefined {
  if (tooLong) return `${what} printed more than ${formatSize(maxAnswer)}`;
  if (exitCode === 0) return undefined;
  const how = exitCode === undefined ? 'was ended by a signal' : `failed (exit ${String(exitCode)})`;
  return `${what} ${how}: ${lastLines(stderr)}`;
}

function byHand({argv: [program = '', ...own]}: CommandSpec, more: readonly string[], input = ''): Advice {
  const command = inspectWith.run(printableLine(program), [...own.map(printableLine), ...more]);
  return advice`Run it by itself in the work directory: ${command}${input}`;
}

/** A public key as PEM (PUBLIC KEY, or RSA PUBLIC KEY) or DER (SubjectPublicKeyInfo). */
function readPublicKey(answer: Buffer, name: string): KeyObject {
  const wrong = (what: string): MeshError =>
    new MeshError('SIGNER_UNAVAILABLE', `${name} public-key ${what}`, {
      hints: ['It has to print the public key as PEM ("BEGIN PUBLIC KEY") or as DER (SubjectPublicKeyInfo)'],
    });
  if (answer.length === 0) throw wrong('printed nothing');
  const text = answer.toString('latin1');
  if (text.includes('PRIVATE KEY-----')) throw wrong('printed a private key, which is to stay where it is');
  if (text.includes('-----BEGIN CERTIFICATE')) throw wrong('printed a certificate');
  try {
    return text.includes('-----BEGIN')
      ? createPublicKey(text)
      : createPublicKey({key: answer, format: 'der', type: 'spki'});
  } catch {
    const [first = ''] = printable(text).split('\n');
    const seen = /^[\t -~]{4,}$/.test(first) ? ` ("${first.slice(0, 40)}")` : '';
    throw wrong(`printed something that is no public key${seen}`);
  }
}
