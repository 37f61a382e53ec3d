/**
 * Ensures that no child outlives this process, however it ends. SIGKILL and a native abort of Node run no code here, so
 * another process does it: the supervisor (`supervise.ts`), one per run, started with the first child that may run for
 * long. It holds the other end of a pipe: the kernel closes ours when this process ends, however it ends.
 *
 * This process starts the children and reports their process IDs. As children of the supervisor they would start only
 * after it, and would not belong to the terminal's foreground process group, so that credential plugins could not
 * prompt. Process IDs are not mistaken: a child's ID is not reused before this process has waited for it, which Node does
 * immediately before `exit`, where the child is withdrawn; and the supervisor compares start times.
 *
 * A child runs before this process knows its ID: milliseconds, more than a hundred on a busy machine. So each child is
 * announced first, with a token that it gets in its environment. If this process dies before it has withdrawn the
 * announcement, the supervisor looks for the token. Only then: a daemon that a child has started on purpose, such as
 * gpg-agent, has the same environment, and must outlive the run. Without /proc no environment can be read, and such a
 * child is left.
 *
 * Descendants are found through their parents. One whose parent has exited first is left, such as a credential plugin that
 * ignores the Ctrl-C which ended its kubectl: only its environment would tell, which macOS does not show.
 */
import {randomUUID} from 'node:crypto';

/** The supervisor's process. */
export interface SupervisorProcess {
  /** Writes a line to its pipe. Ignored if it has exited. */
  write(line: string): void;
  /** Closes the pipe: it ends the children, and itself. */
  closePipe(): void;
  /** Ends it at once. */
  kill(): void;
  /** Resolves when it has exited, or could not be started; never rejects. */
  readonly exited: Promise<unknown>;
}

/** A child process. */
export interface SupervisedChild {
  /** Undefined if it could not be started. */
  readonly pid?: number | undefined;
  kill(signal: 'SIGKILL'): unknown;
}

/** The announcement of a child. */
export interface Announcement {
  /** To be added to the child's environment; empty without a supervisor. */
  readonly variables: Readonly<Record<string, string>>;
  /** Withdraws it, after the child has been added or could not be started. */
  readonly withdraw: () => void;
}

/** The supervisor of a run. */
export interface Supervisor {
  /** Starts it unless it runs. Called before a child is started. */
  start(): Promise<void>;
  /** Announces a child that is started next. */
  announce(): Announcement;
  /** Adds a child. The returned function withdraws it. */
  add(child: SupervisedChild): () => void;
  /** Adds a directory with sockets, to be removed after the children have ended. An absolute path. */
  addDirectory(path: string): void;
  /** Ends the supervisor, and the children that remain. */
  close(): Promise<void>;
}

/** The variable with the token of a child. */
export const tokenVariable = 'KUBECTL_MESH_CHILD';

/** The lines that the supervisor reads. */
export const lines = {
  announce: (token: string) => `?${token}`,
  withdrawAnnouncement: (token: string) => `!${token}`,
  add: (pid: number) => `+${String(pid)}`,
  withdraw: (pid: number) => `-${String(pid)}`,
  directory: (path: string) => path,
};

/**
 * Creates the supervisor of a run. Without `launch`, or if the supervisor has been killed, this process kills its children
 * itself when it exits, which covers everything except a death in which it runs no code.
 */
export function createSupervisor(launch: (() => Promise<SupervisorProcess>) | undefined): Supervisor {
  const children = new Map<number, SupervisedChild>();
  const directories = new Set<string>();
  const run = randomUUID();
  let announced = 0;
  let running: SupervisorProcess | undefined;
  let starting: Promise<void> | undefined;

  const startNow = async (start: () => Promise<SupervisorProcess>): Promise<void> => {
    const started = await start();
    running = started;
    for (const path of directories) started.write(lines.directory(path));
    for (const pid of children.keys()) started.write(lines.add(pid));
    void started.exited.then(() => {
      running = undefined;
      starting = undefined;
    });
  };
  // A single listener, and only while there are children: from the eleventh listener on Node warns of a leak
  // (nodejs.org, events: `defaultMaxListeners`).
  const killAll = (): void => {
    if (running) return;
    for (const child of children.values()) child.kill('SIGKILL');
  };

  return {
    start: async () => launch && (starting ??= startNow(launch)),
    announce() {
      const supervisor = running;
      if (!supervisor) return {variables: {}, withdraw: () => undefined};
      const token = `${run}-${String((announced += 1))}`;
      supervisor.write(lines.announce(token));
      return {
        variables: {[tokenVariable]: token},
        withdraw: () => supervisor.write(lines.withdrawAnnouncement(token)),
      };
    },
    add(child) {
      const {pid} = child;
      if (pid === undefined) return () => undefined;
      if (children.size === 0) process.once('exit', killAll);
      children.set(pid, child);
      running?.write(lines.add(pid));
      return () => {
        children.delete(pid);
        running?.write(lines.withdraw(pid));
        if (children.size === 0) process.removeListener('exit', killAll);
      };
    },
    addDirectory(path) {
      directories.add(path);
      running?.write(lines.directory(path));
    },
    async close() {
      await starting;
      const current = running;
      if (!current) return;
      if (children.size > 0) current.closePipe();
      else current.kill();
      await current.exited;
    },
  };
}
