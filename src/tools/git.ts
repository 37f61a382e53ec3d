import {MeshError} from '../domain/errors.js';
import {keyPattern} from '../domain/keys/private-key.js';
import {Sensitive} from '../domain/sensitive.js';
import type {Runner, ToolResult} from './programs.js';

/** Whether git ignores a path. `unknown`: git is not installed, or failed (`why`). */
export type Ignored =
  | {readonly answer: 'ignored' | 'tracked' | 'not-ignored' | 'no-repository'}
  | {readonly answer: 'unknown'; readonly why: string};

/** A text in git's history that may contain private keys. */
export interface CommittedText {
  /** Relative to the requested directory, under the file's name at that time. */
  readonly path: string;
  /** The abbreviated commit that added it. */
  readonly commit: string;
  readonly text: Sensitive<string>;
}

/** The history of a directory. */
export type CommittedKeys =
  | {readonly state: 'no-repository'}
  | {readonly state: 'no-git'}
  | {
      readonly state: 'read';
      readonly texts: readonly CommittedText[];
      /** How many texts were not read. */
      readonly more: number;
      readonly shallow: boolean;
    };

/** Git queries about the work directory. */
export interface Git {
  /**
   * Returns whether git ignores each path: `git check-ignore`, and `git ls-files` for files that are already tracked,
   * to which .gitignore does not apply. Paths are relative to `directory`, which must exist.
   */
  isIgnored(directory: string, paths: readonly string[]): Promise<ReadonlyMap<string, Ignored>>;
  /**
   * Returns every text below `directory` that any commit added and that looks like a private key, including files that
   * were renamed or deleted since. Bounded in time and number. Throws `TIMEOUT`, and `TOOL_FAILED` if git fails.
   */
  committedKeys(directory: string): Promise<CommittedKeys>;
}

type GitResult = Pick<ToolResult, 'exitCode' | 'stderr'>;

/**
 * Overrides the repository's own configuration where it names programs that these queries would run (git-config(1)): someone
 * who can write the repository must not run programs as the user. `safe.bareRepository` ignores repositories that are embedded
 * in another one (git 2.38 and later; earlier versions run none of their programs either, because of the other settings).
 */
const safeConfiguration: readonly string[] = [
  'core.fsmonitor=false',
  'core.hooksPath=/dev/null',
  'safe.bareRepository=explicit',
  'core.quotePath=false',
];

/**
 * Variables with which git would read another repository than the one that contains the directory (`git rev-parse
 * --local-env-vars`, without those that set the user's own configuration): git sets them for hooks.
 */
const repositoryVariables: readonly string[] = [
  ...['GIT_DIR', 'GIT_WORK_TREE', 'GIT_IMPLICIT_WORK_TREE', 'GIT_COMMON_DIR', 'GIT_INDEX_FILE', 'GIT_PREFIX'],
  ...['GIT_OBJECT_DIRECTORY', 'GIT_ALTERNATE_OBJECT_DIRECTORIES', 'GIT_SHALLOW_FILE', 'GIT_GRAFT_FILE'],
];

/**
 * A partial clone fetches missing objects with the repository's `core.sshCommand` or remote helper: `GIT_NO_LAZY_FETCH`
 * prevents that (git 2.45 and later), and without an allowed protocol every transport is refused (git(1)). Without optional
 * locks the index is not rewritten. In the C locale messages are not translated.
 */
const safeEnvironment = {
  ...Object.fromEntries(repositoryVariables.map((name) => [name, undefined])),
  GIT_NO_LAZY_FETCH: '1',
  GIT_ALLOW_PROTOCOL: 'none',
  GIT_TERMINAL_PROMPT: '0',
  GIT_OPTIONAL_LOCKS: '0',
  LC_ALL: 'C',
} as const;

/** Creates the queries. */
export function createGit(runner: Runner): Git {
  const runGit = async (directory: string, args: readonly string[], timeoutMs = 10_000) =>
    runner.run({
      file: 'git',
      args: ['--no-pager', '-C', directory, ...safeConfiguration.flatMap((one) => ['-c', one]), ...args],
      environment: safeEnvironment,
      timeoutMs,
    });

  /** Whether the directory is in a repository; undefined if git is not installed. */
  const probeRepository = (directory: string, ...more: readonly string[]) =>
    runGit(directory, ['rev-parse', '--is-inside-work-tree', ...more]).catch((thrown: unknown) => {
      if (thrown instanceof MeshError && thrown.code === 'TOOL_MISSING') return undefined;
      throw thrown;
    });

  return {
    async isIgnored(directory, paths) {
      const all = (ignored: Ignored): ReadonlyMap<string, Ignored> => new Map(paths.map((path) => [path, ignored]));
      if (paths.length === 0) return new Map();
      const repository = await probeRepository(directory);
      if (!repository) return all({answer: 'unknown', why: 'git is not installed'});
      if (isNotARepository(repository)) return all({answer: 'no-repository'});
      if (repository.exitCode !== 0) return all({answer: 'unknown', why: repository.stderr.trim()});
      if (repository.stdout.trim() !== 'true') return all({answer: 'no-repository'});
      const [tracked, ignored] = await Promise.all([
        runGit(directory, ['ls-files', '--', ...paths]),
        // Exit code 1 means that none is ignored, 128 is an error (git-check-ignore(1)).
        runGit(directory, ['check-ignore', '--no-index', '--', ...paths]),
      ]);
      if (tracked.exitCode !== 0 || ignored.exitCode > 1) {
        return all({answer: 'unknown', why: (tracked.stderr + ignored.stderr).trim()});
      }
      // .gitignore does not apply to tracked files.
      const answers = new Map([
        ...linesOf(ignored.stdout).map((path) => [path, 'ignored'] as const),
        ...linesOf(tracked.stdout).map((path) => [path, 'tracked'] as const),
      ]);
      return new Map(paths.map((path) => [path, {answer: answers.get(path) ?? 'not-ignored'}]));
    },

    async committedKeys(directory) {
      const repository = await probeRepository(directory, '--is-shallow-repository');
      if (!repository) return {state: 'no-git'};
      if (isNotARepository(repository)) return {state: 'no-repository'};
      requireSuccess(repository);
      const [isInside, isShallow] = linesOf(repository.stdout);
      if (isInside !== 'true') return {state: 'no-repository'};
      const log = await runGit(directory, historyArgs, historyTimeoutMs);
      requireSuccess(log);
      const blobs = [...blobsOf(log.stdout)];
      const texts: CommittedText[] = [];
      for (const [blob, {path, commit}] of blobs.slice(0, maxTexts)) {
        const content = await runGit(directory, ['cat-file', 'blob', blob]);
        requireSuccess(content);
        // One side of a change may not contain a key.
        if (privateKeyPattern.test(content.stdout)) texts.push({path, commit, text: new Sensitive(content.stdout)});
      }
      return {state: 'read', texts, more: Math.max(0, blobs.length - maxTexts), shallow: isShallow === 'true'};
    },
  };
}

/** Enough for a history of many years; afterwards the history is unknown. Milliseconds. */
const historyTimeoutMs = 10_000;
/** How many texts are read: each takes a git process. */
const maxTexts = 50;

/** Overrides user settings that would hide the changes of the first commit, or of merges (git-config). */
const wholeHistory = ['-c', 'log.showRoot=true', '-c', 'log.diffMerges=separate'] as const;

/**
 * Lists each change that adds or removes such a line, with the blobs before and after it: on all branches, tags and
 * stashes, including merges, only below the directory. Custom diff drivers are not run.
 */
const historyArgs: readonly string[] = [
  ...wholeHistory,
  ...['log', '--all', '-m', '--raw', '--no-abbrev', '--no-renames', '--relative', '--text'],
  ...['--no-ext-diff', '--no-textconv', '--no-show-signature', '--format=commit %H', `-G${keyPattern}`, '--', '.'],
];

const privateKeyPattern = new RegExp(keyPattern);
const commitLine = /^commit ([0-9a-f]{40,64})$/;
const changeLine = /^:\d+ \d+ ([0-9a-f]+) ([0-9a-f]+) [A-Z]\d*\t(.*)$/;

/** The blobs of the log, each with the oldest commit that added it: the log starts with the newest. */
function blobsOf(log: string): ReadonlyMap<string, Omit<CommittedText, 'text'>> {
  const blobs = new Map<string, Omit<CommittedText, 'text'>>();
  let commit = '';
  for (const line of log.split('\n')) {
    const [, next] = commitLine.exec(line) ?? [];
    if (next !== undefined) commit = next.slice(0, 12);
    const [, before = '', after = '', path = ''] = changeLine.exec(line) ?? [];
    // An older commit added the previous blob, unless the clone is shallow and does not contain it.
    if (/[1-9a-f]/.test(before) && !blobs.has(before)) blobs.set(before, {path, commit});
    if (/[1-9a-f]/.test(after)) blobs.set(after, {path, commit});
  }
  return blobs;
}

function isNotARepository({exitCode, stderr}: GitResult): boolean {
  return exitCode !== 0 && /not a git repository/i.test(stderr);
}

function requireSuccess({exitCode, stderr}: GitResult): void {
  if (exitCode === 0) return;
  const lastLine = stderr.trim().split('\n').at(-1) ?? '';
  throw new MeshError('TOOL_FAILED', `git cannot read the history: ${lastLine}`);
}

function linesOf(text: string): readonly string[] {
  return text.split('\n').filter((name) => name !== '');
}
