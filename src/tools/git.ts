import type {Runner} from './runner.js';

/** What git says of a path. `unknown`: git is not installed, or would not say (then `why`). */
export type Ignored =
  | {readonly answer: 'ignored' | 'tracked' | 'not-ignored' | 'no-repository'}
  | {readonly answer: 'unknown'; readonly why: string};

/** Questions to git about the work directory. */
export interface Git {
  /**
   * Whether git would leave each path alone: `git check-ignore`, and `git ls-files` for files that are already tracked,
   * which .gitignore no longer helps. Paths are relative to `directory`, which must exist.
   */
  isIgnored(directory: string, paths: readonly string[]): Promise<ReadonlyMap<string, Ignored>>;
}

/** Makes the questions. */
export function createGit(runner: Runner): Git {
  const ask = async (directory: string, args: readonly string[]) =>
    runner.ask({file: 'git', args: ['-C', directory, '-c', 'core.quotePath=false', ...args], timeoutMs: 10_000});

  return {
    async isIgnored(directory, paths) {
      const all = (ignored: Ignored): ReadonlyMap<string, Ignored> => new Map(paths.map((path) => [path, ignored]));
      if (paths.length === 0) return new Map();
      try {
        const inside = await ask(directory, ['rev-parse', '--is-inside-work-tree']);
        if (inside.exitCode !== 0) {
          return /not a git repository/i.test(inside.stderr)
            ? all({answer: 'no-repository'})
            : all({answer: 'unknown', why: inside.stderr.trim()});
        }
        if (inside.stdout.trim() !== 'true') return all({answer: 'no-repository'});
        const [tracked, ignored] = await Promise.all([
          ask(directory, ['ls-files', '--', ...paths]),
          // Exit 1 says that none is ignored, 128 is an error (git-check-ignore(1)).
          ask(directory, ['check-ignore', '--no-index', '--', ...paths]),
        ]);
        if (tracked.exitCode !== 0 || ignored.exitCode > 1) {
          return all({answer: 'unknown', why: (tracked.stderr + ignored.stderr).trim()});
        }
        const trackedPaths = new Set(names(tracked.stdout));
        const ignoredPaths = new Set(names(ignored.stdout));
        return new Map(paths.map((path) => [path, {answer: answerFor(path, trackedPaths, ignoredPaths)}]));
      } catch (thrown) {
        if (thrown instanceof Error && 'code' in thrown && thrown.code === 'TOOL_MISSING') {
          return all({answer: 'unknown', why: 'git is not installed'});
        }
        throw thrown;
      }
    },
  };
}

function answerFor(
  path: string,
  tracked: ReadonlySet<string>,
  ignored: ReadonlySet<string>,
): 'tracked' | 'ignored' | 'not-ignored' {
  if (tracked.has(path)) return 'tracked';
  return ignored.has(path) ? 'ignored' : 'not-ignored';
}

function names(text: string): readonly string[] {
  return text.split('\n').filter((name) => name !== '');
}
