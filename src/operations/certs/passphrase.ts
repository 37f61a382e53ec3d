/** `certs passphrase`: another passphrase for the root key, and a work factor of today. */
import {defined} from '../../domain/defined.js';
import {type ErrorReport, type MeshError, problem, reportError} from '../../domain/errors.js';
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
import {emptyPlan, onePhase, type PhaseRun, type Plan, type RunSettings, type Warning} from '../../engine/operation.js';
import {asWarnings, blockedPlan, groupOf} from '../../engine/plan.js';
import {type CommonResult, generalPart, outcomeOf} from '../../engine/report.js';
import {askExposure, type GitExposure, keyInGit, noExposure, unknownToGit} from '../shared/exposed-keys.js';

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
export const changePassphrase = onePhase<PassphraseRequest, PassphraseResult, PassphraseFacts, PassphrasePlan>({
  command: 'certs passphrase',
  changes: true,
  title: () => 'read the root key',
  gather,
  plan,
  report,
  conclude: ({outcome, errors}) => [
    ...errors.map(({code}) => code),
    ...(outcome === 'cancelled' && errors.length === 0 ? (['INTERRUPTED'] as const) : []),
  ],
});

async function gather(
  deps: Deps,
  {clear, rootDirectory}: PassphraseRequest,
  {dryRun}: RunSettings,
): Promise<PassphraseFacts> {
  const signer = await declaredSigner(deps, rootDirectory);
  const store = deps.rootStore(signer);
  const path = keyPath(signer);
  const text = await store.readSecret(layout.rootKey);
  const none = {signer, path, key: 'missing', clear, needed: undefined, same: undefined, git: noExposure} as const;
  if (text === undefined) return none;
  const key = readPrivateKey(text, path);
  const needed = whatIsNeeded(key, clear, deps);
  return {
    ...none,
    key,
    needed,
    same: dryRun === 'none' && needed === undefined ? await askBoth(text, key, {clear, path}, deps) : undefined,
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
    const hints =
      signer.type === 'local'
        ? ['Run this where the root key is kept', advice`A root CA is made by ${kubectlMesh('certs generate')}`]
        : [`The signer of this mesh is ${signer.type} (trust.signer): its key is no file here`];
    return blockedPlan(problem('FILE_MISSING', `there is no ${path}`, ...hints));
  }
  if (needed) return blockedPlan(reportError(needed));
  const {encryption} = key;
  const isClear = encryption === undefined;
  if (clear ? isClear : same === true && encryption?.weak === false) return emptyPlan;
  const exposed = facts.git.exposed.length > 0;
  if (clear && exposed) return blockedPlan(reportError(keyInGit([path])));
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
    groups: groupOf('root key', [action], 'always-stop'),
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
    ...asWarnings(clear ? [`${path} is written in the clear: whoever reads it owns the mesh`] : []),
    ...asWarnings(exposed ? [keyInGit([path]).message] : []),
    ...unknownToGit(git),
  ];
}

/** What a new passphrase cannot mend. */
function copies(path: string, encryption: KeyEncryption | undefined): readonly Warning[] {
  const how = encryption === undefined ? 'are still in the clear' : 'still open with what they were written with';
  return [{message: `copies and backups of ${path} ${how}: find and destroy them`}];
}

function report(run: PhaseRun<PassphraseFacts, PassphrasePlan>): PassphraseResult {
  const {
    facts,
    plan: {action},
  } = run;
  const outcome = outcomeOf(run, action);
  const general = generalPart(run);
  const before = facts.key === 'missing' ? undefined : protectionOf(facts.key.encryption);
  const after = outcome?.status === 'done' && outcome.result ? resealedAs(outcome.result) : undefined;
  return defined({
    outcome: outcome?.status ?? (general.errors.length > 0 ? 'failed' : 'unchanged'),
    action: action?.title,
    before,
    after,
    ...general,
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
