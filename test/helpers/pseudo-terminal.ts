/** A person at a terminal: a program in a pseudo-terminal (util-linux `script`), read and answered as it goes. */
import {spawn} from 'node:child_process';

/** What to wait for on the screen, and what to type then. */
export interface Reply {
  readonly when: RegExp;
  /** What happens elsewhere while the question stands. */
  readonly before?: () => Promise<unknown>;
  readonly type: string;
}

/** Typed instead of an answer: the terminal's window is closed. */
export const closed = '\u0000closed';

/** What was on the screen, and how the program ended. */
export interface Session {
  readonly screen: string;
  readonly code: number | null;
}

/**
 * Runs a shell command in a pseudo-terminal and answers its questions in order. A question that does not come within
 * `limitMs` ends the program.
 */
export function runInTerminal(
  command: string,
  replies: readonly Reply[],
  options: {readonly cwd: string; readonly env?: NodeJS.ProcessEnv; readonly limitMs?: number},
): Promise<Session> {
  const child = spawn(
    'script',
    ['--quiet', '--return', '--echo', 'never', '--command', `stty cols 100 rows 40; ${command}`, '/dev/null'],
    {
      cwd: options.cwd,
      env: {...process.env, TERM: 'xterm', ...options.env},
      stdio: ['pipe', 'pipe', 'pipe'],
    },
  );
  return new Promise((resolve, reject) => {
    const waiting = [...replies];
    let screen = '';
    let seen = 0;
    const limit = setTimeout(() => child.kill('SIGKILL'), options.limitMs ?? 60_000);
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      screen += text;
      const next = waiting[0];
      const found = next?.when.exec(screen.slice(seen));
      if (!next || !found) return;
      seen = screen.length;
      waiting.shift();
      const answer = (): void => {
        if (next.type === closed) child.kill('SIGKILL');
        else child.stdin.write(next.type);
      };
      if (next.before) next.before().then(answer, reject);
      else answer();
    });
    // A command that was killed may end before the reply to its prompt; `close` still reports its screen and code.
    child.stdin.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') reject(error);
    });
    child.on('error', reject);
    child.on('close', (code) => {
      clearTimeout(limit);
      if (waiting.length > 0) reject(new Error(`no prompt ${String(waiting[0]?.when)}; the screen:\n${screen}`));
      else resolve({screen, code});
    });
  });
}
