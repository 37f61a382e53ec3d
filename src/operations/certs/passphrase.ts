/** `certs passphrase`: changes the root key's passphrase, and updates the work factor of its key derivation. */
import {defined} from '../../domain/defined.js';
import {type ErrorReport, type MeshError, problem, reportError} from '../../domain/errors.js';
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
import {checkGitExposure, type GitExposure, keyInGitError, gitWarnings} from '../shared/exposed-keys.js';
import type {CaRunResult} from './ca-run.js';

/** The request of `certs passphrase`. */
export interface PassphraseRequest {
  /** `--no-passphrase`: write the key unencrypted. */
  readonly unencrypted: boolean;
  /** `--root-dir`: the root key's directory, if it differs from mesh.yaml. */
  readonly rootDirectory?: string | undefined;
}

/** How root-key.pem is protected. */
export interface Protection {
  readonly protection: 'encrypted' | 'clear';
  readonly cipher?: string;
  /** The key derivation function with its work factor. */
  readonly kdf?: string;
  /** Whether the passphrase is cheap to guess. */
  readonly weak?: boolean;
}

/** The result of `certs passphrase`. */
export interface PassphraseResult extends Omit<CaRunResult, 'clusters'> {
  readonly outcome: 'done' | 'unchanged' | 'failed' | 'skipped' | 'cancelled';
  /** What was (in a dry run: would be) done; absent when nothing had to change. */
  readonly action?: string;
  readonly before?: Protection;
  readonly after?: Protection;
}

interface PassphraseFacts {
  readonly signer: SignerSpec;
  /** The path of root-key.pem in messages: with its directory if that is not the work directory. */
  readonly path: string;
  readonly unencrypted: boolean;
  /** The key, if it exists. */
  readonly found?: {
    readonly encryption: KeyEncryption | undefined;
    /** Why the current or the new passphrase is not available. */
    readonly missing: ErrorReport | undefined;
    /** Whether old and new passphrase are the same; undefined in a dry run, which does not prompt. */
    readonly same: boolean | undefined;
    readonly git: GitExposure;
  };
}

/** A plan, with the action that writes the key, if any. */
interface PassphrasePlan extends Plan {
  readonly action?: ResealRootKey;
}

/** `certs passphrase` */
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
  {unencrypted, rootDirectory}: PassphraseRequest,
  {dryRun}: RunSettings,
): Promise<PassphraseFacts> {
  // A directory that a Makefile created has no mesh.yaml, but its root key is a file there as well.
  const mesh = await deps.workspace.readText(layout.meshYaml);
  const declared = mesh === undefined ? undefined : parseMeshFile(mesh).trust?.signer;
  const signer = resolveSigner(declared, {rootDirectory});
  const store = deps.rootStore(signer);
  const path = rootKeyPath(signer);
  const text = await store.readSecret(layout.rootKey);
  if (text === undefined) return {signer, path, unencrypted};
  const {encryption} = readPrivateKey(text, path);
  const missing = missingPassphrase(encryption, unencrypted, deps);
  const same =
    dryRun === 'none' && missing === undefined ? await prompt(text, encryption, {unencrypted, path}, deps) : undefined;
  const git = await checkGitExposure(deps, store, [layout.rootKey]);
  return {signer, path, unencrypted, found: {encryption, missing, same, git}};
}

function missingPassphrase(
  encryption: KeyEncryption | undefined,
  unencrypted: boolean,
  {passphrases, newPassphrases}: Deps,
): ErrorReport | undefined {
  if (encryption && !passphrases.available) return reportError(passphraseNeeded('existing', passphrases.emptyVariable));
  return unencrypted || newPassphrases.available
    ? undefined
    : reportError(newPassphraseNeeded(newPassphrases.emptyVariable));
}

/** Opens the key before planning: a wrong passphrase must be reported as such and change nothing. */
async function prompt(
  text: Sensitive<string>,
  encryption: KeyEncryption | undefined,
  {unencrypted, path}: Pick<PassphraseFacts, 'unencrypted' | 'path'>,
  {passphrases, newPassphrases}: Deps,
): Promise<boolean> {
  const retry = (wrong: MeshError): boolean => passphrases.retry(wrong);
  await openPrivateKey(text, () => passphrases.get('existing', path), path, retry);
  if (unencrypted) return encryption === undefined;
  const replacement = await newPassphrases.get('new', path);
  return encryption !== undefined && isSamePassphrase(await passphrases.get('existing', path), replacement);
}

function plan({signer, path, unencrypted, found}: PassphraseFacts): PassphrasePlan {
  if (!found) {
    const hints =
      signer.type === 'local'
        ? ['run this where the root key is stored', advice`to create a root CA: ${kubectlMesh('certs generate')}`]
        : [`change the protection in the signer, ${signer.type} (trust.signer): its key is not a file here`];
    return blockedPlan(problem('FILE_MISSING', `${path} not found`, ...hints));
  }
  const {encryption, missing, same, git} = found;
  if (missing) return blockedPlan(missing);
  if (unencrypted ? !encryption : same === true && encryption?.weak === false) return emptyPlan;
  const inGit = git.exposed.length > 0 ? keyInGitError([path]) : undefined;
  if (unencrypted && inGit) return blockedPlan(reportError(inGit));
  const writeUnencrypted = `write ${path} unencrypted`;
  const action: ResealRootKey = defined({
    kind: 'reseal-root-key',
    id: 'root-key',
    title: unencrypted ? writeUnencrypted : encryptionTitle(path, encryption, same),
    signer,
    path,
    protection: unencrypted ? 'clear' : 'encrypted',
    confirm: unencrypted ? `${writeUnencrypted}: anyone who can read it controls the mesh` : undefined,
  });
  // A new passphrase does not protect older copies.
  const how = encryption === undefined ? 'are still unencrypted' : 'keep their old passphrase';
  return {
    action,
    groups: groupOf([action], 'always-stop', 'root key'),
    blockers: [],
    warnings: [
      ...asWarnings(unencrypted ? [`${path} is written unencrypted: anyone who can read it controls the mesh`] : []),
      ...asWarnings(inGit ? [inGit.message] : []),
      ...gitWarnings(git),
      ...asWarnings([`copies and backups of ${path} ${how}: find and destroy them`]),
    ],
  };
}

function encryptionTitle(path: string, encryption: KeyEncryption | undefined, same: boolean | undefined): string {
  if (!encryption) return `encrypt ${path} (currently unencrypted)`;
  const now = `(currently ${encryption.cipher} and ${encryption.kdf})`;
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

/** A key without cipher and key derivation is unencrypted. */
function protectionOf({cipher, kdf, weak}: Partial<KeyEncryption> = {}): Protection {
  return cipher === undefined || kdf === undefined
    ? {protection: 'clear'}
    : defined({protection: 'encrypted', cipher, kdf, weak});
}
