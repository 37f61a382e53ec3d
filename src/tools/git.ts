import {MeshError} from '../domain/errors.js';
import {keyPattern} from '../domain/keys/private-key.js';
import {Sensitive} from '../domain/sensitive.js';
import type {Runner, ToolResult} from './runner.js';

/** What git says of a path. `unknown`: git is not installed, or would not say (then `why`). */
export type Ignored =
  | {readonly answer: 'ignored' | 'tracked' | 'not-ignored' | 'no-repository'}
  | {readonly answer: 'unknown'; readonly why: string};

/** A text of git's history that may hold private keys. */
export interface CommittedText {
  /** Relative to the directory that was asked about, as the file was named then. */
  readonly path: string;
  /** The commit that brought it, abbreviated. */
  readonly commit: string;
  readonly text: Sensitive<string>;
}

/** What git has kept of a directory. */
export type CommittedKeys =
  | {readonly state: 'no-repository'}
  | {readonly state: 'no-git'}
  | {
      readonly state: 'read';
      readonly texts: readonly CommittedText[];
      /** How many more there are than were read. */
      readonly more: number;
      readonly shallow: boolean;
    };

/** Questions to git about the work directory. */
export interface Git {
  /**
   * Whether git would leave each path alone: `git check-ignore`, and `git ls-files` for files that are already tracked,
   * which .gitignore no longer helps. Paths are relative to `directory`, which must exist.
   */
  isIgnored(directory: string, paths: readonly string[]): Promise<ReadonlyMap<string, Ignored>>;
  /**
   * Every text below `directory` that any commit brought and that looks like a private key; also of files that were
   * renamed or deleted since. Bounded in time and number. Throws `TIMEOUT`, and `TOOL_FAILED` where git would not say.
   */
  committedKeys(directory: string): Promise<CommittedKeys>;
}

type GitResult = Pick<ToolResult, 'exitCode' | 'stderr'>;

/** Makes the questions. */
export function createGit(runner: Runner): Git {
  const ask = async (directory: string, args: readonly string[], timeoutMs = 10_000) =>
    runner.run({file: 'git', args: ['-C', directory, '-c', 'core.quotePath=false', ...args], timeoutMs});

  /** What git says of the directory; undefined where it is not installed. */
  const inside = (directory: string, ...more: readonly string[]) =>
    ask(directory, ['rev-parse', '--is-inside-work-tree', ...more]).catch((thrown: unknown) => {
      if (thrown instanceof MeshError && thrown.code === 'TOOL_MISSING') return undefined;
      throw thrown;
    });

  return {
    async isIgnored(directory, paths) {
      const all = (ignored: Ignored): ReadonlyMap<string, Ignored> => new Map(paths.map((path) => [path, ignored]));
      if (paths.length === 0) return new Map();
      const answer = await inside(directory);
      if (!answer) return all({answer: 'unknown', why: 'git is not installed'});
      if (isNotARepository(answer)) return all({answer: 'no-repository'});
      if (answer.exitCode !== 0) return all({answer: 'unknown', why: answer.stderr.trim()});
      if (answer.stdout.trim() !== 'true') return all({answer: 'no-repository'});
      const [tracked, ignored] = await Promise.all([
        ask(directory, ['ls-files', '--', ...paths]),
        // Exit 1 says that none is ignored, 128 is an error (git-check-ignore(1)).
        ask(directory, ['check-ignore', '--no-index', '--', ...paths]),
      ]);
      if (tracked.exitCode !== 0 || ignored.exitCode > 1) {
        return all({answer: 'unknown', why: (tracked.stderr + ignored.stderr).trim()});
      }
      // Of a tracked file .gitignore no longer says anything.
      const answers = new Map([
        ...linesOf(ignored.stdout).map((path) => [path, 'ignored'] as const),
        ...linesOf(tracked.stdout).map((path) => [path, 'tracked'] as const),
      ]);
      return new Map(paths.map((path) => [path, {answer: answers.get(path) ?? 'not-ignored'}]));
    },

    async committedKeys(directory) {
      const answer = await inside(directory, '--is-shallow-repository');
      if (!answer) return {state: 'no-git'};
      if (isNotARepository(answer)) return {state: 'no-repository'};
      requireSuccess(answer);
      const [isInside, isShallow] = linesOf(answer.stdout);
      if (isInside !== 'true') return {state: 'no-repository'};
      const log = await ask(directory, historyArgs, historyTimeoutMs);
      requireSuccess(log);
      const blobs = [...blobsOf(log.stdout)];
      const texts: CommittedText[] = [];
      for (const [blob, {path, commit}] of blobs.slice(0, maxTexts)) {
        const content = await ask(directory, ['cat-file', 'blob', blob]);
        requireSuccess(content);
        // Of a change, one of its two sides may have no key.
        if (privateKeyPattern.test(content.stdout)) texts.push({path, commit, text: new Sensitive(content.stdout)});
      }
      return {state: 'read', texts, more: Math.max(0, blobs.length - maxTexts), shallow: isShallow === 'true'};
    },
  };
}

/** A history of many years is looked through in this time, or is not known. Milliseconds. */
const historyTimeoutMs = 10_000;
/** Texts that are read; their number is what costs. */
const maxTexts = 50;

/** Against settings of one's own that would hide the changes of the first commit, or of merges (git-config). */
const wholeHistory = ['-c', 'log.showRoot=true', '-c', 'log.diffMerges=separate'] as const;

/**
 * Each change that adds or removes such a line, with the blobs before and after it: of all branches, tags and stashes,
 * merges included, and only below the directory. Nobody's own drivers of diff are run.
 */
const historyArgs: readonly string[] = [
  ...wholeHistory,
  ...['log', '--all', '-m', '--raw', '--no-abbrev', '--no-renames', '--relative', '--text'],
  ...['--no-ext-diff', '--no-textconv', '--no-show-signature', '--format=commit %H', `-G${keyPattern}`, '--', '.'],
];

const privateKeyPattern = new RegExp(keyPattern);
const commitLine = /^commit ([0-9a-f]{40,64})$/;
const changeLine = /^:\d+ \d+ ([0-9a-f]+) ([0-9a-f]+) [A-Z]\d*\t(.*)$/;

/** The blobs of the log, with the oldest commit that brought each: the log begins with the newest. */
function blobsOf(log: string): ReadonlyMap<string, Omit<CommittedText, 'text'>> {
  const blobs = new Map<string, Omit<CommittedText, 'text'>>();
  let commit = '';
  for (const line of log.split('\n')) {
    const [, next] = commitLine.exec(line) ?? [];
    if (next !== undefined) commit = next.slice(0, 12);
    const [, before = '', after = '', path = ''] = changeLine.exec(line) ?? [];
    // The one before is brought by an older commit, unless the clone is shallow and has none.
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
  const said = stderr.trim().split('\n').at(-1) ?? '';
  throw new MeshError('TOOL_FAILED', `git would not say what its history holds: ${said}`);
}

function linesOf(text: string): readonly string[] {
  return text.split('\n').filter((name) => name !== '');
}
