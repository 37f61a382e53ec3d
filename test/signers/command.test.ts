import {spawnSync} from 'node:child_process';
import {existsSync} from 'node:fs';
import {fileURLToPath} from 'node:url';
import {afterEach, beforeAll, beforeEach, describe, expect, it} from 'vitest';
import type {SignerSpecOf} from '../../src/domain/mesh/signer.js';
import {publicHalf} from '../../src/domain/keys/keys.js';
import {commandSigner} from '../../src/signers/command.js';
import type {SignerContext} from '../../src/signers/signer-module.js';
import {createRunner} from '../helpers/runner.js';
import {createWorkspace} from '../../src/workspace/create.js';
import {openssl, temporaryFiles} from '../helpers/openssl.js';
import {type TinyCa, tinyClusterCa, tinyRoot} from '../helpers/tiny-ca.js';
import {createWorkDir, type TestWorkDir} from '../helpers/work-dir.js';
import {signerContext} from './context.js';
import {failureOf, hintTexts} from '../helpers/suggestions.js';

let dir: TestWorkDir;
beforeEach(async () => {
  dir = await createWorkDir();
});
afterEach(() => dir.dispose());

let keyFile: (name: string) => string;
beforeAll(() => {
  const make = (...args: string[]) => openssl(['genpkey', '-algorithm', ...args]);
  keyFile = temporaryFiles({
    ec: make('EC', '-pkeyopt', 'ec_paramgen_curve:P-256'),
    ec384: make('EC', '-pkeyopt', 'ec_paramgen_curve:P-384'),
    ec521: make('EC', '-pkeyopt', 'ec_paramgen_curve:P-521'),
    other: make('EC', '-pkeyopt', 'ec_paramgen_curve:P-256'),
    rsa: make('RSA', '-pkeyopt', 'rsa_keygen_bits:2048'),
    rsa1024: make('RSA', '-pkeyopt', 'rsa_keygen_bits:1024'),
    ed25519: make('ED25519'),
  });
});

const message = Buffer.from('to be signed');
const spec = {type: 'command', argv: ['./sign.sh']} as const satisfies SignerSpecOf<'command'>;

function context(more: Partial<SignerContext> = {}): SignerContext {
  const signal = more.signal ?? new AbortController().signal;
  const environment = {PATH: process.env.PATH, KUBECTL_MESH_PASSPHRASE: 'hunter2', TOKEN_PIN: '1234'};
  return signerContext(createWorkspace({root: dir.root, now: () => new Date()}), {
    runner: () => Promise.resolve(createRunner({environment, signal})),
    ...more,
  });
}

const publicKey = (key: string) => `openssl pkey -in ${keyFile(key)} -pubout`;
const signWith = (key: string, hash = 'sha256') => `openssl dgst -${hash} -sign ${keyFile(key)}`;

/** A program with these answers, in the work directory. */
async function program(answers: {readonly publicKey: string; readonly sign?: string}): Promise<void> {
  const {publicKey: key, sign = 'exit 9'} = answers;
  const script = `#!/bin/sh\nset -e\ncase $1 in\npublic-key) ${key} ;;\nsign) echo "$2" >> requests; ${sign} ;;\nesac\n`;
  await dir.write('sign.sh', script, 0o755);
}

async function sign(): Promise<Uint8Array> {
  const signer = await commandSigner.rootSigner?.(spec, context());
  if (!signer) throw new Error('no signer');
  return signer.sign(message);
}

describe('the command signer', () => {
  it.each([
    {key: 'ec', hash: 'sha256', algorithm: 'ecdsa-with-SHA256'},
    {key: 'ec384', hash: 'sha384', algorithm: 'ecdsa-with-SHA384'},
    {key: 'rsa', hash: 'sha256', algorithm: 'sha256WithRSAEncryption'},
  ])(
    'gets the message and $algorithm, and its signature with the $key key is taken',
    async ({key, hash, algorithm}) => {
      await program({publicKey: publicKey(key), sign: signWith(key, hash)});
      await dir.write('signature', '');
      await dir.write('public.pem', openssl(['pkey', '-in', keyFile(key), '-pubout']));
      const signature = await sign();
      expect((await dir.read('requests')).trim()).toBe(algorithm);
      const given = temporaryFiles({message, signature: Buffer.from(signature)});
      const output = openssl([
        ...['dgst', `-${hash}`, '-verify', `${dir.root}/public.pem`],
        ...['-signature', given('signature'), given('message')],
      ]);
      expect(output).toContain('Verified OK');
    },
  );

  it('accepts a public key in DER', async () => {
    await program({publicKey: `${publicKey('ec')} -outform DER`});
    expect(await commandSigner.survey(spec, context())).toMatchObject({kind: 'rootless', what: './sign.sh'});
  });

  it('finds a program without a slash in PATH, and runs it in the work directory with its own arguments first', async () => {
    await dir.write('lib.sh', `pwd > where; [ "$1 $2" = "own public-key" ] && ${publicKey('ec')}`);
    const found = {type: 'command', argv: ['sh', 'lib.sh', 'own']} as const;
    expect(await commandSigner.survey(found, context())).toMatchObject({kind: 'rootless', what: 'sh'});
    expect((await dir.read('where')).trim()).toBe(dir.root);
  });

  it('passes the environment without our passphrase', async () => {
    await program({publicKey: `env > seen; ${publicKey('ec')}`});
    await commandSigner.survey(spec, context());
    expect(await dir.read('seen')).toContain('TOKEN_PIN=1234');
    expect(await dir.read('seen')).not.toContain('hunter2');
  });

  it('reads the public key once per run, and signs one message at a time', async () => {
    const alone = 'mkdir busy; sleep 0.05; rmdir busy';
    await program({publicKey: `echo >> keys; ${publicKey('ec')}`, sign: `${alone}; ${signWith('ec')}`});
    const run = context();
    await commandSigner.survey(spec, run);
    const signer = await commandSigner.rootSigner?.(spec, run);
    if (!signer) throw new Error('no signer');
    const signatures = await Promise.all([1, 2, 3].map(() => signer.sign(message)));
    expect(signatures).toHaveLength(3);
    expect(await dir.read('keys')).toBe('\n');
  });

  it('continues after a failed signature', async () => {
    await program({publicKey: publicKey('ec'), sign: `[ -e once ] || { touch once; exit 3; }; ${signWith('ec')}`});
    const signer = await commandSigner.rootSigner?.(spec, context());
    await expect(signer?.sign(message)).rejects.toMatchObject({code: 'SIGNER_REFUSED'});
    expect((await signer?.sign(message))?.length).toBeGreaterThan(60);
  });

  it("shows the program's messages on the terminal after progress output has stopped", async () => {
    await program({publicKey: `printf 'Touch the key: ' >&2; ${publicKey('ec')}`});
    const events: string[] = [];
    const terminal = {
      rest: () => Promise.resolve(void events.push('rest')),
      write: (text: string) => void events.push(text),
    };
    await commandSigner.survey(spec, context({terminal}));
    expect(events).toEqual(['rest', 'Touch the key: ']);
  });

  it('stops when the run is interrupted', async () => {
    await program({publicKey: publicKey('ec'), sign: 'touch started; exec sleep 600'});
    const abort = new AbortController();
    const signer = await commandSigner.rootSigner?.(spec, context({signal: abort.signal}));
    const signing = signer?.sign(message);
    while (!existsSync(`${dir.root}/started`)) await new Promise((resolve) => setTimeout(resolve, 5));
    abort.abort();
    await expect(signing).rejects.toMatchObject({code: 'INTERRUPTED'});
  });
});

describe('invalid output instead of a signature', () => {
  const faults: readonly {name: string; key?: string; sign: () => string; says: string}[] = [
    {name: 'nothing', sign: () => 'cat >/dev/null', says: 'printed nothing'},
    {name: 'nothing, without reading the message', sign: () => 'exec 0<&-', says: 'printed nothing'},
    {name: 'base64', sign: () => `${signWith('ec')} | openssl base64 -A`, says: 'base64'},
    {name: 'base64 in lines', key: 'rsa', sign: () => `${signWith('rsa')} | openssl base64`, says: 'base64'},
    {name: 'hexadecimal digits', sign: () => `${signWith('ec')} | od -An -v -tx1 | tr -d ' \\n'`, says: 'hexadecimal'},
    {name: 'JSON', sign: () => `echo '{"signature": "no"}'`, says: 'printed text'},
    {name: 'a line end after it', sign: () => `${signWith('ec')}; echo`, says: 'newline'},
    {
      name: 'r and s side by side',
      sign: () =>
        `node -e "process.stdout.write(require('crypto').sign('sha256', require('fs').readFileSync(0), {key: require('fs').readFileSync('${keyFile('ec')}'), dsaEncoding: 'ieee-p1363'}))"`,
      says: 'DER',
    },
    {name: 'the signature of another key', sign: () => signWith('other'), says: 'another key'},
    {name: 'a signature with another hash', sign: () => signWith('ec', 'sha512'), says: 'signed with sha512'},
    {
      name: 'the signature of the digest as a message',
      sign: () => `openssl dgst -sha256 -binary | ${signWith('ec')}`,
      says: 'hashed the message twice',
    },
    {
      name: 'a signature of another length',
      key: 'rsa',
      sign: () => `${signWith('rsa')} | head -c 200`,
      says: '200 bytes',
    },
    {
      name: 'an RSA-PSS signature',
      key: 'rsa',
      sign: () => `${signWith('rsa')} -sigopt rsa_padding_mode:pss`,
      says: 'PSS',
    },
    {name: 'far too much', sign: () => 'yes | head -c 1000000', says: 'more than'},
    {name: 'a failure', sign: () => `printf 'no \\033[31mtoken\\033[0m' >&2; exit 4`, says: 'no token'},
    {name: 'a kill signal', sign: () => 'kill -9 $$', says: 'terminated by a signal'},
  ];

  it.each(faults)('refuses $name with an explanation', async ({key = 'ec', sign: script, says}) => {
    await program({publicKey: publicKey(key), sign: script()});
    const error: unknown = await sign().catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({code: 'SIGNER_REFUSED'});
    expect((error as Error).message).toContain(says);
    expect((error as Error).message).not.toContain('\u001b');
  });
});

describe('invalid output instead of a public key', () => {
  const answers: readonly {name: string; answer: () => string; code?: string; says: string}[] = [
    {name: 'nothing', answer: () => 'true', says: 'printed nothing'},
    {name: 'usage', answer: () => 'echo "usage: sign.sh FILE"', says: 'usage: sign.sh FILE'},
    {name: 'a certificate', answer: () => 'echo "-----BEGIN CERTIFICATE-----"', says: 'a certificate'},
    {name: 'a private key', answer: () => `cat ${keyFile('ec')}`, says: 'private key'},
    {name: 'a failure', answer: () => 'echo "token is locked" >&2; exit 2', says: 'token is locked'},
    {name: 'a P-521 key', answer: () => publicKey('ec521'), code: 'UNSUPPORTED_KEY', says: 'p521'},
    {name: 'a short RSA key', answer: () => publicKey('rsa1024'), code: 'UNSUPPORTED_KEY', says: 'rsa-1024'},
    {name: 'an Ed25519 key', answer: () => publicKey('ed25519'), code: 'UNSUPPORTED_KEY', says: 'ed25519'},
  ];

  it.each(answers)('refuses $name with an explanation', async ({answer, code = 'SIGNER_UNAVAILABLE', says}) => {
    await program({publicKey: answer()});
    const error: unknown = await commandSigner.survey(spec, context()).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({code});
    expect((error as Error).message).toContain(says);
  });

  it('prints a hint with a command that can be run as is, whatever its arguments', async () => {
    await dir.write('say.sh', 'for word; do echo "$word"; done >&2; exit 1', 0o644);
    const argv = ['sh', 'say.sh', 'two words', "it's $HOME", '*'];
    const {hints} = await failureOf(() => commandSigner.survey({type: 'command', argv}, context()));
    const [hint = ''] = hintTexts(hints);
    const byHand = spawnSync('sh', ['-c', hint.slice(hint.indexOf(': ') + 2)], {cwd: dir.root, encoding: 'utf8'});
    expect(byHand.stderr.split('\n')).toEqual([...argv.slice(2), 'public-key', '']);
  });

  it.each([
    {name: 'is not there', argv: ['./none.sh']},
    {name: 'is not in PATH', argv: ['no-such-program-here']},
    {name: 'may not be executed', argv: ['./plain']},
    {name: 'is written for a program that is not there', argv: ['./odd']},
  ])('says when the program $name', async ({argv}) => {
    await dir.write('plain', 'true', 0o644);
    await dir.write('odd', '#!/no/such/interpreter\n', 0o755);
    await expect(commandSigner.survey({type: 'command', argv}, context())).rejects.toMatchObject({
      code: 'TOOL_MISSING',
    });
  });
});

describe('the programs in examples/signers', () => {
  /** What stands for the vendors' command lines: they sign a digest, or a message, with a key file. */
  const vendors = (key: string) => ({
    aws: `case "$*" in
      *get-public-key*) ${publicKey(key)} -outform DER | base64 ;;
      *) while [ "$1" != --message ]; do shift; done
         openssl pkeyutl -sign -inkey ${keyFile(key)} -pkeyopt digest:sha256 -in "\${2#fileb://}" | base64 ;;
    esac`,
    gcloud: `case "$*" in
      *get-public-key*) ${publicKey(key)} ;;
      *) while [ "$1" != --digest-algorithm ]; do shift; done
         openssl dgst "-$2" -sign ${keyFile(key)} -out "$6" "$4" ;;
    esac`,
  });

  it.each([
    {program: 'openssl-file.sh', args: (key: string) => [keyFile(key)], key: 'ec384'},
    {program: 'openssl-file.sh', args: (key: string) => [keyFile(key)], key: 'rsa'},
    {program: 'aws-kms.sh', args: () => ['alias/mesh'], key: 'rsa'},
    {program: 'aws-kms.sh', args: () => ['alias/mesh'], key: 'ec'},
    {program: 'gcloud-kms.sh', args: () => ['europe-west3', 'ring', 'mesh', '1'], key: 'ec'},
  ])('$program speaks the protocol ($key)', async ({program: file, args, key}) => {
    for (const [tool, script] of Object.entries(vendors(key))) {
      await dir.write(`bin/${tool}`, `#!/bin/sh\n${script}\n`, 0o755);
    }
    const environment = {PATH: `${dir.root}/bin:${process.env.PATH ?? ''}`, TMPDIR: process.env.TMPDIR};
    const {signal} = new AbortController();
    const run = context({runner: () => Promise.resolve(createRunner({environment, signal}))});
    const path = fileURLToPath(new URL(`../../examples/signers/${file}`, import.meta.url));
    const signer = await commandSigner.rootSigner?.({type: 'command', argv: [path, ...args(key)]}, run);
    // A signature that does not verify is refused.
    expect((await signer?.sign(message))?.length).toBeGreaterThan(60);
  });
});

describe('the certificate of the key', () => {
  let root: TinyCa;
  beforeEach(async () => {
    root = await tinyRoot();
    await dir.write('root-cert.pem', root.certificate.pem);
  });
  const holding = (ca: TinyCa) =>
    dir
      .write('key.pub', publicHalf(ca.key).export({type: 'spki', format: 'pem'}).toString())
      .then(() => program({publicKey: 'cat key.pub'}));

  it('is the root of the work directory', async () => {
    await holding(root);
    const state = await commandSigner.survey(spec, context());
    expect(state).toMatchObject({kind: 'ready', upward: [{fingerprint: root.certificate.fingerprint}]});
  });

  it('is a CA below the root, in the file of trust.signer.certificate', async () => {
    const policy = await tinyClusterCa(root, 'policy');
    await dir.write('policy.pem', policy.certificate.pem);
    await holding(policy);
    const state = await commandSigner.survey({...spec, certificate: 'policy.pem'}, context());
    const fingerprints = [policy, root].map(({certificate}) => ({fingerprint: certificate.fingerprint}));
    expect(state).toMatchObject({kind: 'ready', upward: fingerprints});
  });

  it('is missing: a conflict, and no new root', async () => {
    await holding(await tinyRoot());
    await expect(commandSigner.survey(spec, context())).rejects.toMatchObject({code: 'WORKDIR_CONFLICT'});
    await expect(commandSigner.open?.(spec, context())).rejects.toMatchObject({code: 'WORKDIR_CONFLICT'});
  });
});
