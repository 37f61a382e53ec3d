/**
 * The program under test, run as users run it: the built executable as a child process, kubectl and the real istioctl on PATH,
 * a home directory of its own, nothing of the developer's environment.
 */
import {mkdirSync, rmSync, symlinkSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {program} from '../../helpers/build-once.js';
import {writeKubeconfig, type Cluster} from './cluster.js';
import type {ControlPlanes} from './control-planes.js';
import {HarnessError, run, type Ran, type RunOptions, type Sandbox} from './processes.js';

/** The one passphrase of all tests; the demo makes its own. */
export const passphrase = 'correct horse battery staple';

/** One row of `verify -o json`. */
export interface CheckRow {
  readonly id: string;
  readonly result: 'ok' | 'warning' | 'error' | 'unknown' | 'skipped';
  readonly severity: string;
  readonly cluster?: string;
  readonly peer?: string;
  readonly reason?: string;
  readonly observed?: string;
  readonly expected?: string;
  readonly fix?: string;
  readonly impliedBy?: string;
}

/**
 * What is `kubectl-mesh` in the user's PATH. Where API servers are on loopback, all processes of these tests reach them, which
 * the program cannot know: commands that refuse such addresses are run with the flag that permits them.
 */
function launcher(onLoopback: boolean): string {
  const permit =
    'case "$1 $*" in *--allow-local-address*) ;; up\\ * | link\\ *) set -- "$@" --allow-local-address ;; esac';
  const lines = ['#!/bin/sh', ...(onLoopback ? [permit] : []), `exec '${process.execPath}' '${program}' "$@"`, ''];
  return lines.join('\n');
}

/** What `verify -o json` prints. */
export interface Verdict {
  readonly verdict: 'ok' | 'warning' | 'error' | 'unknown';
  readonly checks: readonly CheckRow[];
}

/** One user: a work directory, a kubeconfig, an environment. */
export class MeshCli {
  readonly workDir: string;
  readonly kubeconfig: string;
  /** What is first in the user's PATH. */
  readonly bin: string;
  readonly env: NodeJS.ProcessEnv;

  /** `contexts` is what the user's kubeconfig holds: context name to cluster. */
  constructor(
    readonly sandbox: Sandbox,
    planes: ControlPlanes,
    contexts: Readonly<Record<string, Cluster>>,
    name = 'user',
  ) {
    const home = join(sandbox.dir, name);
    const bin = join(home, 'bin');
    this.bin = bin;
    this.workDir = join(home, 'mesh');
    this.kubeconfig = join(home, 'kubeconfig');
    for (const folder of [bin, this.workDir]) mkdirSync(folder, {recursive: true});
    this.useIstioctl(planes.path('istioctl'));
    this.useContexts(contexts);
    this.env = {
      PATH: `${bin}:${process.env.PATH ?? ''}`,
      HOME: home,
      TMPDIR: process.env.TMPDIR,
      KUBECONFIG: this.kubeconfig,
      WORK_DIR: this.workDir,
      // A fix opens mesh.yaml for a loopback address, which stays here: the launcher permits it.
      EDITOR: 'true',
      KUBECTL_MESH_PASSPHRASE: passphrase,
    };
  }

  get #program(): string {
    return join(this.bin, 'kubectl-mesh');
  }

  /** Installs another istioctl for this user. */
  useIstioctl(path: string): void {
    const link = join(this.bin, 'istioctl');
    rmSync(link, {force: true});
    symlinkSync(path, link);
  }

  /** Rewrites the user's kubeconfig. */
  useContexts(contexts: Readonly<Record<string, Cluster>>): void {
    writeKubeconfig(this.kubeconfig, contexts);
    const onLoopback = Object.values(contexts).some((cluster) => cluster.isOnLoopback);
    writeFileSync(this.#program, launcher(onLoopback), {mode: 0o755});
  }

  /** Runs `kubectl-mesh ARGS`; never throws for an exit code. */
  run(args: readonly string[], options: RunOptions = {}): Promise<Ran> {
    return run(this.#program, args, {cwd: this.workDir, env: this.env, ...options});
  }

  /** Runs a command that must exit 0; the error shows its output. */
  async must(...args: string[]): Promise<string> {
    return expectExit(`kubectl mesh ${args.join(' ')}`, await this.run(args));
  }

  /** Runs a shell script with this user's environment; it must exit 0. */
  async script(path: string, variables: Readonly<Record<string, string>>): Promise<string> {
    const env = {...this.env, ...variables};
    return expectExit(path, await run('bash', [path], {cwd: this.workDir, env}));
  }

  /** Runs a command line as a user would type it, in a shell, with more variables if need be. */
  shell(line: string, variables: Readonly<Record<string, string>> = {}): Promise<Ran> {
    return run('bash', ['-c', line], {cwd: this.workDir, env: {...this.env, ...variables}});
  }

  /** `verify -o json` and its exit code. */
  async verify(...args: string[]): Promise<Verdict & {readonly code: number | null}> {
    const ran = await this.run(['verify', ...args, '-o', 'json']);
    try {
      return {...(JSON.parse(ran.stdout) as Verdict), code: ran.code};
    } catch (error) {
      throw new HarnessError(`verify -o json printed no JSON (exit ${String(ran.code)}):\n${ran.stdout}${ran.stderr}`, {
        cause: error,
      });
    }
  }
}

/** Standard output of a run that had to exit 0. */
function expectExit(what: string, ran: Ran): string {
  if (ran.code !== 0) {
    throw new HarnessError(`${what} ended with ${String(ran.code ?? ran.signal)}:\n${ran.stdout}${ran.stderr}`);
  }
  return ran.stdout;
}

/** Checks that are not ok, and not only the consequence of another: what a person would look at. */
export function findings(verdict: Verdict): CheckRow[] {
  return verdict.checks.filter(({result, impliedBy}) => !['ok', 'skipped'].includes(result) && impliedBy === undefined);
}
