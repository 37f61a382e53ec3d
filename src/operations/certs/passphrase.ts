/** `certs passphrase`: another passphrase for the root key, and a work factor of today. */
import {defined} from '../../domain/defined.js';
import {type ErrorReport, MeshError, reportError} from '../../domain/errors.js';
import {layout} from '../../domain/mesh/layout.js';
import {parseMeshFile} from '../../domain/mesh/parse.js';
import {resolveSigner, type SignerSpec} from '../../domain/mesh/signer.js';
import {isSamePassphrase, newPassphraseNeeded, passphraseNeeded} from '../../domain/keys/passphrase.js';
import type {KeyEncryption} from '../../domain/keys/pkcs8.js';
import {openPrivateKey, type PrivateKeyFacts, readPrivateKey} from '../../domain/keys/private-key.js';
import type {Sensitive} from '../../domain/sensitive.js';
import {advice} from '../../domain/suggest/advice.js';
import {kubectlMesh} from '../../domain/suggest/suggestion.js';
import type {ResealRootKey} from '../../engine/action.js';
import type {ResealedKey} from '../../engine/action-result.js';
import type {Deps} from '../../engine/deps.js';
import {
  type Blocker,
  emptyPlan,
  type Operation,
  type PhaseRun,
  type Plan,
  type Warning,
} from '../../engine/operation.js';
import {type CommonResult, generalErrors, outcomeOf} from '../../engine/report.js';
import {askExposure, type GitExposure, keyInGit, unknownToGit} from '../shared/exposed-keys.js';

/** What `certs passphrase` is asked for. */
export interface PassphraseRequest {
  /** `--no-passphrase`: write the key in the clear. */
  readonly clear: boolean;
  /** `--root-dir`: where the root key is kept, when not where mesh.yaml says. */
  readonly rootDirectory?: string | undefined;
}

/** How root-key.pem is protected. */
export interface Protection {
  readonly protection: 'encrypted' | 'clear';
  readonly cipher?: string;
  /** Key derivation with its work factor. */
  readonly kdf?: string;
  /** Guessing the passphrase is cheap. */
  readonly weak?: boolean;
}

/** What `certs passphrase` answers. */
export interface PassphraseResult extends CommonResult {
  readonly outcome: 'done' | 'unchanged' | 'failed' | 'skipped' | 'cancelled';
  /** What was, or in a dry run would be, done; absent when nothing is to be done. */
  readonly action?: string;
  readonly before?: Protection;
  readonly after?: Protection;
  readonly errors: readonly ErrorReport[];
  readonly warnings: readonly Warning[];
}

interface PassphraseFacts {
  readonly signer: SignerSpec;
  /** root-key.pem as people know it: with its directory where that is not the work directory. */
  readonly path: string;
  readonly key: PrivateKeyFacts | 'missing';
  readonly clear: boolean;
  /** Why no passphrase can be had: the one that opens the key, or the one that replaces it. */
  readonly needed: MeshError | undefined;
  /** Whether old and new passphrase are the same; unknown in a dry run, which asks for none. */
  readonly same: boolean | undefined;
  readonly git: GitExposure;
}

/** A plan, with the action that writes the key where it is to be written. */
interface PassphrasePlan extends Plan {
  readonly action?: ResealRootKey;
}

/** Writes the root key under another passphrase. */
export const changePassphrase: Operation<PassphraseRequest, PassphraseResult> = {
  command: 'certs passphrase',
  changes: true,
  async execute(request, engine) {
    const asks = engine.settings.dryRun === 'none';
    const run = await engine.run<PassphraseFacts, PassphrasePlan>({
      title: 'read the root key',
      gather: (deps) => gather(request, deps, asks),
      plan,
    });
    return report(run);
  },
  conclude: ({outcome, errors}) => [
    ...errors.map(({code}) => code),
    ...(outcome === 'cancelled' && errors.length === 0 ? (['INTERRUPTED'] as const) : []),
  ],
};

const noGit: GitExposure = {exposed: [], unknown: undefined};

async function gather(request: PassphraseRequest, deps: Deps, asks: boolean): Promise<PassphraseFacts> {
  const {clear, rootDirectory} = request;
  const signer = await declaredSigner(deps, rootDirectory);
  const store = deps.rootStore(signer);
  const path = keyPath(signer);
  const text = await store.readSecret(layout.rootKey);
  if (text === undefined) return {signer, path, key: 'missing', clear, needed: undefined, same: undefined, git: noGit};
  const key = readPrivateKey(text, path);
  const needed = whatIsNeeded(key, clear, deps);
  return {
    signer,
    path,
    key,
    clear,
    needed,
    same: asks && needed === undefined ? await askBoth(text, key, {clear, path}, deps) : undefined,
    git: await askExposure(deps, store, [layout.rootKey]),
  };
}

/** A directory that a Makefile made has no mesh.yaml, and its root key is a file there all the same. */
async function declaredSigner({workspace}: Deps, rootDirectory: string | undefined): Promise<SignerSpec> {
  const text = await workspace.readText(layout.meshYaml);
  return resolveSigner(text === undefined ? undefined : parseMeshFile(text).trust?.signer, {rootDirectory});
}

function keyPath(signer: SignerSpec): string {
  if (signer.type !== 'local' || signer.directory === undefined) return layout.rootKey;
  return `${signer.directory.replace(/\/+$/, '')}/${layout.rootKey}`;
}

function whatIsNeeded(
  {encryption}: PrivateKeyFacts,
  clear: boolean,
  {passphrases, newPassphrases}: Deps,
): MeshError | undefined {
  if (encryption && !passphrases.available) return passphraseNeeded('existing');
  return clear || newPassphrases.available ? undefined : newPassphraseNeeded();
}

/** Opens the key before anything is decided: a wrong passphrase must be an error of its own, and change nothing. */
async function askBoth(
  text: Sensitive<string>,
  {encryption}: PrivateKeyFacts,
  {clear, path}: Pick<PassphraseFacts, 'clear' | 'path'>,
  {passphrases, newPassphrases}: Deps,
): Promise<boolean> {
  await openPrivateKey(text, () => passphrases.get('existing'), path);
  if (clear) return encryption === undefined;
  const replacement = await newPassphrases.get('new');
  return encryption !== undefined && isSamePassphrase(await passphrases.get('existing'), replacement);
}

function plan(facts: PassphraseFacts): PassphrasePlan {
  const {signer, path, key, clear, needed, same} = facts;
  if (key === 'missing') {
    return blocked(
      new MeshError('FILE_MISSING', `there is no ${path}`, {
        hints:
          signer.type === 'local'
            ? ['Run this where the root key is kept', advice`A root CA is made by ${kubectlMesh('certs generate')}`]
            : [`The signer of this mesh is ${signer.type} (trust.signer): its key is no file here`],
      }),
    );
  }
  if (needed) return blocked(needed);
  const {encryption} = key;
  const isClear = encryption === undefined;
  if (clear ? isClear : same === true && encryption?.weak === false) return emptyPlan;
  const exposed = facts.git.exposed.length > 0;
  if (clear && exposed) return blocked(keyInGit([path]));
  const action: ResealRootKey = defined({
    kind: 'reseal-root-key',
    id: 'root-key',
    title: titleOf(facts, encryption),
    signer,
    path,
    protection: clear ? 'clear' : 'encrypted',
    confirm: clear ? `write ${path} in the clear: whoever reads it owns the mesh` : undefined,
  });
  return {
    action,
    groups: [
      {title: 'root key', lanes: [{key: 'root key', title: action.title, actions: [action]}], onFailure: 'always-stop'},
    ],
    blockers: [],
    warnings: [...warningsOf(facts, exposed), ...copies(path, encryption)],
  };
}

function titleOf({path, clear, same}: PassphraseFacts, encryption: KeyEncryption | undefined): string {
  if (clear) return `write ${path} in the clear`;
  if (encryption === undefined) return `encrypt ${path}, which is in the clear`;
  if (same === true) return `raise the work factor of ${path} (now ${describe(encryption)})`;
  return `change the passphrase of ${path} (now ${describe(encryption)})`;
}

function describe({cipher, kdf}: KeyEncryption): string {
  return `${cipher} and ${kdf}`;
}

function warningsOf({path, git, clear}: PassphraseFacts, exposed: boolean): readonly Warning[] {
  return [
    ...(clear ? [{message: `${path} is written in the clear: whoever reads it owns the mesh`}] : []),
    ...(exposed ? [{message: keyInGit([path]).message}] : []),
    ...unknownToGit(git),
  ];
}

/** What a new passphrase cannot mend. */
function copies(path: string, encryption: KeyEncryption | undefined): readonly Warning[] {
  const how = encryption === undefined ? 'are still in the clear' : 'still open with what they were written with';
  return [{message: `copies and backups of ${path} ${how}: find and destroy them`}];
}

function blocked(error: MeshError): Plan {
  const blocker: Blocker = {error: reportError(error)};
  return {...emptyPlan, blockers: [blocker]};
}

function report(run: PhaseRun<PassphraseFacts, PassphrasePlan>): PassphraseResult {
  const {facts, plan: planned} = run;
  const {action} = planned;
  const outcome = outcomeOf(run, action);
  const errors = generalErrors(run);
  const before = facts.key === 'missing' ? undefined : protectionOf(facts.key.encryption);
  const after = outcome?.status === 'done' && outcome.result ? resealedAs(outcome.result) : undefined;
  return defined({
    outcome: outcome?.status ?? (errors.length > 0 ? 'failed' : 'unchanged'),
    action: action?.title,
    before,
    after,
    errors,
    warnings: planned.warnings,
  });
}

function protectionOf(encryption: KeyEncryption | undefined): Protection {
  if (!encryption) return {protection: 'clear'};
  const {cipher, kdf, weak} = encryption;
  return {protection: 'encrypted', cipher, kdf, weak};
}

function resealedAs({cipher, kdf}: ResealedKey): Protection {
  return protectionOf(cipher === undefined || kdf === undefined ? undefined : {cipher, kdf, weak: false});
}
