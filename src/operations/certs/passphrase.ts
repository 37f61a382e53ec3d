/** `certs passphrase`: another passphrase for the root key, and a work factor of today. */
import {defined} from '../../domain/defined.js';
import {type ErrorReport, problem, reportError} from '../../domain/errors.js';
import {layout} from '../../domain/mesh/layout.js';
import {parseMeshFile} from '../../domain/mesh/parse.js';
import {resolveSigner, rootKeyPath, type SignerSpec} from '../../domain/mesh/signer.js';
import {isSamePassphrase, newPassphraseNeeded, passphraseNeeded} from '../../domain/keys/passphrase.js';
import type {KeyEncryption} from '../../domain/keys/pkcs8.js';
import {openPrivateKey, readPrivateKey} from '../../domain/keys/private-key.js';
import type {Sensitive} from '../../domain/sensitive.js';
import {advice, kubectlMesh} from '../../domain/suggest/suggestion.js';
import type {ResealRootKey} from '../../engine/action.js';
import type {Deps} from '../../engine/deps.js';
import {
  asWarnings,
  blockedPlan,
  emptyPlan,
  groupOf,
  onePhase,
  type PhaseRun,
  type Plan,
  type RunSettings,
} from '../../engine/operation.js';
import {generalPart, outcomeOf} from '../../engine/report.js';
import {askExposure, type GitExposure, keyInGit, unknownToGit} from '../shared/exposed-keys.js';
import type {CaRunResult} from './ca-run.js';

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
export interface PassphraseResult extends Omit<CaRunResult, 'clusters'> {
  readonly outcome: 'done' | 'unchanged' | 'failed' | 'skipped' | 'cancelled';
  /** What was, or in a dry run would be, done; absent when nothing is to be done. */
  readonly action?: string;
  readonly before?: Protection;
  readonly after?: Protection;
}

interface PassphraseFacts {
  readonly signer: SignerSpec;
  /** root-key.pem as people know it: with its directory where that is not the work directory. */
  readonly path: string;
  readonly clear: boolean;
  /** The key, where it is there. */
  readonly found?: {
    readonly encryption: KeyEncryption | undefined;
    /** Why no passphrase can be had: the one that opens the key, or the one that replaces it. */
    readonly needed: ErrorReport | undefined;
    /** Whether old and new passphrase are the same; unknown in a dry run, which asks for none. */
    readonly same: boolean | undefined;
    readonly git: GitExposure;
  };
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
  // A directory that a Makefile made has no mesh.yaml, and its root key is a file there all the same.
  const mesh = await deps.workspace.readText(layout.meshYaml);
  const declared = mesh === undefined ? undefined : parseMeshFile(mesh).trust?.signer;
  const signer = resolveSigner(declared, {rootDirectory});
  const store = deps.rootStore(signer);
  const path = rootKeyPath(signer);
  const text = await store.readSecret(layout.rootKey);
  if (text === undefined) return {signer, path, clear};
  const {encryption} = readPrivateKey(text, path);
  const needed = whatIsNeeded(encryption, clear, deps);
  const same =
    dryRun === 'none' && needed === undefined ? await askBoth(text, encryption, {clear, path}, deps) : undefined;
  const git = await askExposure(deps, store, [layout.rootKey]);
  return {signer, path, clear, found: {encryption, needed, same, git}};
}

function whatIsNeeded(
  encryption: KeyEncryption | undefined,
  clear: boolean,
  {passphrases, newPassphrases}: Deps,
): ErrorReport | undefined {
  if (encryption && !passphrases.available) return reportError(passphraseNeeded('existing'));
  return clear || newPassphrases.available ? undefined : reportError(newPassphraseNeeded());
}

/** Opens the key before anything is decided: a wrong passphrase must be an error of its own, and change nothing. */
async function askBoth(
  text: Sensitive<string>,
  encryption: KeyEncryption | undefined,
  {clear, path}: Pick<PassphraseFacts, 'clear' | 'path'>,
  {passphrases, newPassphrases}: Deps,
): Promise<boolean> {
  await openPrivateKey(text, () => passphrases.get('existing'), path);
  if (clear) return encryption === undefined;
  const replacement = await newPassphrases.get('new');
  return encryption !== undefined && isSamePassphrase(await passphrases.get('existing'), replacement);
}

function plan({signer, path, clear, found}: PassphraseFacts): PassphrasePlan {
  if (!found) {
    const hints =
      signer.type === 'local'
        ? ['Run this where the root key is kept', advice`A root CA is made by ${kubectlMesh('certs generate')}`]
        : [`The signer of this mesh is ${signer.type} (trust.signer): its key is no file here`];
    return blockedPlan(problem('FILE_MISSING', `there is no ${path}`, ...hints));
  }
  const {encryption, needed, same, git} = found;
  if (needed) return blockedPlan(needed);
  if (clear ? !encryption : same === true && encryption?.weak === false) return emptyPlan;
  const inGit = git.exposed.length > 0 ? keyInGit([path]) : undefined;
  if (clear && inGit) return blockedPlan(reportError(inGit));
  const inTheClear = `write ${path} in the clear`;
  const action: ResealRootKey = defined({
    kind: 'reseal-root-key',
    id: 'root-key',
    title: clear ? inTheClear : encryptionTitle(path, encryption, same),
    signer,
    path,
    protection: clear ? 'clear' : 'encrypted',
    confirm: clear ? `${inTheClear}: whoever reads it owns the mesh` : undefined,
  });
  // What a new passphrase cannot fix.
  const how = encryption === undefined ? 'are still in the clear' : 'still open with what they were written with';
  return {
    action,
    groups: groupOf([action], 'always-stop', 'root key'),
    blockers: [],
    warnings: [
      ...asWarnings(clear ? [`${path} is written in the clear: whoever reads it owns the mesh`] : []),
      ...asWarnings(inGit ? [inGit.message] : []),
      ...unknownToGit(git),
      ...asWarnings([`copies and backups of ${path} ${how}: find and destroy them`]),
    ],
  };
}

function encryptionTitle(path: string, encryption: KeyEncryption | undefined, same: boolean | undefined): string {
  if (!encryption) return `encrypt ${path}, which is in the clear`;
  const now = `(now ${encryption.cipher} and ${encryption.kdf})`;
  return same === true ? `raise the work factor of ${path} ${now}` : `change the passphrase of ${path} ${now}`;
}

function report(run: PhaseRun<PassphraseFacts, PassphrasePlan>): PassphraseResult {
  const {facts, plan: planned} = run;
  const {action} = planned;
  const outcome = outcomeOf(run, action);
  const general = generalPart(run);
  return defined({
    outcome: outcome?.status ?? (general.errors.length > 0 ? 'failed' : 'unchanged'),
    action: action?.title,
    before: facts.found && protectionOf(facts.found.encryption),
    after: outcome?.status === 'done' && outcome.result ? protectionOf({...outcome.result, weak: false}) : undefined,
    ...general,
  });
}

/** Without cipher and key derivation it is in the clear. */
function protectionOf({cipher, kdf, weak}: Partial<KeyEncryption> = {}): Protection {
  return cipher === undefined || kdf === undefined
    ? {protection: 'clear'}
    : defined({protection: 'encrypted', cipher, kdf, weak});
}
