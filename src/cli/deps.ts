/**
 * The composition root: creates the workspace and the tools. Modules that not every run uses (kubectl, istioctl,
 * prompts, animated progress) are loaded on first use.
 */
import {userInfo} from 'node:os';
import {delimiter, isAbsolute, join, resolve} from 'node:path';
import {newPassphraseNeeded} from '../domain/keys/passphrase.js';
import {memoizeAsync} from '../domain/memoize.js';
import type {Deps} from '../engine/deps.js';
import {type RunSettings, type Reporter} from '../engine/operation.js';
import {createPlainProgress, type Progress} from '../output/plain-progress.js';
import type {SignerSpec} from '../domain/mesh/signer.js';
import {sleep} from '../tools/bounded.js';
import type {Program} from '../tools/programs.js';
import {createWorkspace} from '../workspace/create.js';
import {createReadOnlyWorkspace} from '../workspace/read-only.js';
import type {Workspace} from '../workspace/workspace.js';
import {takePassphrases, takeVaultSecrets} from './environment.js';
import {createPassphraseSource} from './passphrase.js';
import {printEvent} from './suggest/print.js';
import {type TargetFlags, typedTarget} from './suggest/typed-target.js';
import {writeLine} from './streams.js';
import {createTerminal, isInteractive, promptPassphrase} from './terminal.js';

/** The parsed flags that commands share; each command has a subset of them. */
export interface CommonFlags extends TargetFlags {
  readonly timeout?: number | undefined;
  readonly concurrency?: number | undefined;
  readonly 'keep-going'?: boolean | undefined;
  readonly quiet?: boolean | undefined;
  readonly verbose?: boolean | undefined;
  readonly 'request-timeout'?: number | undefined;
  readonly output?: string | undefined;
  readonly 'output-file'?: string | undefined;
  readonly json?: boolean | undefined;
  readonly 'dry-run'?: RunSettings['dryRun'] | undefined;
  readonly yes?: boolean | undefined;
  readonly reason?: string | undefined;
  /** The journal is written to standard output, and nothing into the work directory. */
  readonly journal?: '-' | undefined;
  readonly signer?: {readonly declared: SignerSpec} | undefined;
  readonly 'trust-mesh-yaml'?: boolean | undefined;
  readonly 'passphrase-file'?: string | undefined;
  readonly 'passphrase-command'?: string | undefined;
  readonly 'new-passphrase-file'?: string | undefined;
  readonly 'new-passphrase-command'?: string | undefined;
}

/** The dependencies and settings of a run. */
export interface Composition {
  readonly deps: Deps;
  readonly settings: RunSettings;
  readonly report: Reporter;
  /** Ends all child processes and flushes the progress output. */
  readonly close: () => Promise<void>;
}

/** Creates the dependencies and settings of a run. `supervisor` starts the supervisor of its child processes. */
export async function createDeps(flags: CommonFlags, signal: AbortSignal, supervisor?: Program): Promise<Composition> {
  const taken = takePassphrases(process.env);
  // Programs that the user configures need tokens (`--passphrase-command 'vault kv get …'`). The runner hides tokens
  // from all other programs.
  const fullEnvironment: Readonly<Record<string, string | undefined>> = {...process.env};
  const environmentSecrets = takeVaultSecrets(process.env);
  const environment: Readonly<Record<string, string | undefined>> = {...process.env};
  const cleanups: (() => Promise<void>)[] = [];
  const progress = await createProgress(flags.quiet === true);
  const flush = (): Promise<void> => progress.rest();
  const place = {root: resolve(flags['work-dir'] ?? '.'), now: () => new Date(), signal};
  const workspace = flags.journal === '-' ? createReadOnlyWorkspace(place, writeLine) : createWorkspace(place);
  const rootStore = (signer: SignerSpec): Workspace => {
    if (signer.type !== 'local' || signer.directory === undefined) return workspace;
    const root = resolve(workspace.root, signer.directory);
    return root === workspace.root ? workspace : workspace.directory(root);
  };
  let closeChildren: (() => Promise<void>) | undefined;
  const children = memoizeAsync(async () => {
    const {createChildProcesses} = await import('./child-processes.js');
    const created = createChildProcesses({environment: fullEnvironment, signal, supervisor});
    closeChildren = () => created.supervisor.close();
    return created;
  });
  const runner = async () => (await children()).runner;
  /** Passes output of a credential plugin or a signer's program to the terminal, after the progress output. */
  const writeToTerminal = (text: string): void => {
    void flush().then(() => process.stderr.write(text));
  };
  const clusters = lazy(() => {
    const created = (async () => {
      const [{createClusters}, {createTemporaryDirectory}] = await Promise.all([
        import('../tools/kubectl/clusters.js'),
        import('../workspace/temporary.js'),
      ]);
      return createClusters({
        runner: await runner(),
        signal,
        async temporaryDirectory() {
          const directory = await createTemporaryDirectory();
          (await children()).supervisor.addDirectory(directory.path);
          return directory;
        },
        kubeconfig: flags.kubeconfig,
        defaultKubeconfigs: kubeconfigFiles(environment),
        requestTimeoutMs: flags['request-timeout'],
        as: flags.as,
        asGroups: flags['as-group'] ?? [],
        onTerminalText: isInteractive() ? writeToTerminal : undefined,
      });
    })();
    cleanups.push(async () => (await created).close());
    return created;
  });
  const warn = (message: string): void => {
    progress.report({type: 'warning', warning: {message}});
  };
  const terminal = createTerminal(signal, flush);
  const passphraseReaders = {
    interactive: isInteractive(),
    readFile: async (path: string) =>
      (await workspace.readOutside(path)).map((bytes) => firstLine(bytes.toString('utf8'))),
    runCommand: async (command: string) => (await (await runner()).runSecret(command)).map(firstLine),
    prompt: (purpose: 'new' | 'existing', path: string) => promptPassphrase(purpose, path, signal, flush),
    warn,
  };
  const passphrases = createPassphraseSource({
    ...passphraseReaders,
    flagPrefix: '--passphrase',
    file: flags['passphrase-file'],
    command: flags['passphrase-command'],
    environment: taken.existing,
  });
  const newPassphrases = createPassphraseSource({
    ...passphraseReaders,
    flagPrefix: '--new-passphrase',
    file: flags['new-passphrase-file'],
    command: flags['new-passphrase-command'],
    environment: taken.replacement,
    needed: newPassphraseNeeded,
  });
  const deps: Deps = {
    workspace,
    clusters,
    istioctl: lazy(async () =>
      (await import('../tools/istioctl.js')).createIstioctl({
        runner: await runner(),
        kubeconfig: flags.kubeconfig,
        impersonating: flags.as !== undefined,
        privateFile: async (name, text) => (await import('../workspace/temporary.js')).createPrivateFile(name, text),
      }),
    ),
    git: lazy(async () => (await import('../tools/git.js')).createGit(await runner())),
    tls: lazy(async () => (await import('../tools/tls-probe.js')).createTlsProbe(signal)),
    http: lazy(async () => (await import('../tools/http-probe.js')).createHttpProbe(signal)),
    passphrases,
    newPassphrases,
    rootStore,
    // The certificate codec is loaded by the first use.
    signers: lazy(async () =>
      (await import('../signers/signers.js')).createSigners({
        workspace,
        dryRun: (flags['dry-run'] ?? 'none') !== 'none',
        confirmation: {
          typed: flags.signer?.declared,
          all: flags['trust-mesh-yaml'] ?? false,
          confirmed: lazy(async () =>
            (await import('../workspace/confirmed-uses.js')).createConfirmedUses(
              stateDirectory(environment),
              workspace.root,
            ),
          ),
          terminal,
          warn,
        },
        rootStore,
        readPassphrase: (path) => passphrases.get('existing', path),
        retryPassphrase: (wrong) => passphrases.retry(wrong),
        clusters,
        runner,
        terminal: isInteractive() ? {rest: flush, write: writeToTerminal} : undefined,
        environment,
        environmentSecrets,
        onDispose: (task) => cleanups.push(task),
        now: () => new Date(),
        signal,
      }),
    ),
    terminal,
    environment,
    now: () => new Date(),
    sleep: (milliseconds) => sleep(milliseconds, signal),
    signal,
  };
  return {
    deps,
    settings: {
      dryRun: flags['dry-run'] ?? 'none',
      yes: flags.yes ?? false,
      concurrency: flags.concurrency ?? 1,
      keepGoing: flags['keep-going'] ?? false,
      reason: flags.reason,
    },
    report: (event) => {
      progress.report(printEvent(event, typedTarget(flags)));
    },
    async close() {
      await Promise.all(cleanups.map((cleanup) => cleanup()));
      await closeChildren?.();
      await progress.rest();
    },
  };
}

/** The files that kubectl reads without `--kubeconfig`. */
function kubeconfigFiles({
  KUBECONFIG = '',
  HOME = '~',
}: Readonly<Record<string, string | undefined>>): readonly string[] {
  const files = KUBECONFIG.split(delimiter).filter((file) => file !== '');
  return files.length > 0 ? files : [join(HOME, '.kube/config')];
}

/**
 * This program's directory for state of the user (XDG Base Directory Specification: a relative path is ignored). A relative or
 * empty HOME would be the current directory, which may be a cloned repository.
 */
export function stateDirectory({XDG_STATE_HOME = '', HOME = ''}: Readonly<Record<string, string | undefined>>): string {
  const home = isAbsolute(HOME) ? HOME : ownHome();
  return join(isAbsolute(XDG_STATE_HOME) ? XDG_STATE_HOME : join(home, '.local/state'), 'kubectl-mesh');
}

/** The home directory of the user database; in a container the user may have no entry there. */
function ownHome(): string {
  try {
    return userInfo().homedir;
  } catch {
    return '/nonexistent';
  }
}

/** Animated progress on a terminal, lines otherwise. */
async function createProgress(quiet: boolean): Promise<Progress> {
  // Some terminals (of CI services, of `script`) report zero columns: animated output would wrap after each character.
  if (!quiet && process.stderr.isTTY && process.stderr.columns > 0 && process.env.TERM !== 'dumb') {
    const {createDrawnProgress} = await import('../output/progress.js');
    return createDrawnProgress(process.stderr);
  }
  return createPlainProgress((text) => process.stderr.write(text), quiet);
}

/** The first line, without its line end: passphrases are one line. */
function firstLine(text: string): string {
  return text.split(/\r?\n/, 1)[0] ?? '';
}

/** An interface whose methods are all asynchronous. */
type Asynchronous<T> = {[Key in keyof T]: (...args: never[]) => Promise<unknown>};

/** An object that is loaded on the first call of a method, so that a run loads only the modules that it uses. */
export function lazy<T extends Asynchronous<T>>(load: () => Promise<T>): T {
  const get = memoizeAsync(load);
  const methods = new Map<string | symbol, (...args: never[]) => Promise<unknown>>();
  return new Proxy({} as T, {
    get(_, name) {
      // With a `then`, `await` would treat the object as a promise.
      if (name === 'then') return undefined;
      const method = methods.get(name) ?? (async (...args) => (await get())[name as keyof T](...args));
      methods.set(name, method);
      return method;
    },
  });
}
