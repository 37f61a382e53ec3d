/**
 * What a container runtime gives a pod, without images: namespaces for network, mounts, host name and processes, a root directory with
 * the machine's /usr (read-only), and the pod's volumes at the paths where its containers expect them. All containers of a pod share one
 * root directory. Its first process is `sleep`; when that ends, however it ends, the kernel ends everything in the pod.
 */
import {mkdirSync, readFileSync, writeFileSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {HarnessError, eventually, run, type Daemon, type Ran, type RunOptions, type Sandbox} from '../processes.js';

/** A file or directory of this machine and its place in the pod. */
export interface Bind {
  readonly source: string;
  readonly target: string;
  readonly kind: 'file' | 'directory';
}

/** A program in a pod. */
export interface PodProgram {
  readonly command: readonly [string, ...string[]];
  readonly env?: Readonly<Record<string, string>>;
  /** Default: root. */
  readonly user?: {readonly uid: number; readonly gid: number};
}

const searchPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** $1 is the root directory, $2 the host name; lines of `kind source target` come from standard input. */
const setUp = `
set -e
root=$1
mount -t tmpfs -o mode=755 tmpfs "$root"
cd "$root"
mkdir -p dev etc proc run sys tmp usr var
chmod 1777 tmp
for name in bin sbin lib lib64; do
  if [ -L "/$name" ]; then cp -P "/$name" "$name"; elif [ -d "/$name" ]; then mkdir "$name"; mount --bind "/$name" "$name"; mount -o remount,bind,ro "$name"; fi
done
mount --bind /usr usr
mount -o remount,bind,ro usr
mount -t tmpfs -o mode=755 tmpfs usr/local/bin
mount -t proc proc proc
mount --rbind /dev dev
echo "$2" > proc/sys/kernel/hostname
ln -s ../run var/run
while read -r kind source target; do
  mkdir -p "$(dirname "$root$target")"
  if [ "$kind" = directory ]; then mkdir -p "$root$target"; else : > "$root$target"; fi
  mount --bind "$source" "$root$target"
done < "$root.binds"
exec chroot "$root" sleep infinity
`;

/** What a sandbox is made of. */
export interface SandboxSpec {
  /** In the names of its processes and log files. */
  readonly name: string;
  /** What programs in the pod get as their host's name: the pod's name. */
  readonly hostname: string;
  /** The pod's own directory on this machine. */
  readonly directory: string;
  readonly binds: readonly Bind[];
}

/** A pod without containers. */
export class PodSandbox {
  private constructor(
    readonly name: string,
    readonly sandbox: Sandbox,
    private readonly first: Daemon,
    /** Its first process, as this process numbers it. */
    readonly pid: number,
  ) {}

  /** Makes the namespaces and the root directory. */
  static async create(sandbox: Sandbox, {name, hostname, directory, binds}: SandboxSpec): Promise<PodSandbox> {
    const root = join(directory, 'root');
    mkdirSync(root, {recursive: true});
    // A mount point may be within another volume: the outer one first.
    const ordered = [...binds].sort((a, b) => a.target.length - b.target.length);
    writeFileSync(`${root}.binds`, ordered.map(({kind, source, target}) => `${kind} ${source} ${target}\n`).join(''));
    const namespaces = ['--net', '--mount', '--uts', '--pid', '--fork', '--kill-child'];
    const first = sandbox.start({
      name,
      command: 'unshare',
      args: [...namespaces, 'sh', '-c', setUp, 'pod', root, hostname],
      env: {PATH: searchPath},
      cwd: dirname(root),
    });
    const pid = await eventually(`the namespaces of pod ${name}`, () => {
      if (!first.running()) throw new HarnessError(readFileSync(first.log, 'utf8'));
      const children = readFileSync(`/proc/${String(first.pid)}/task/${String(first.pid)}/children`, 'utf8').trim();
      const ready = readFileSync(`/proc/${children}/comm`, 'utf8').trim() === 'sleep';
      return ready ? Number(children) : undefined;
    });
    return new PodSandbox(name, sandbox, first, pid);
  }

  /** Keeps a program running in the pod; its log is logs/POD.NAME.log. */
  start(name: string, program: PodProgram): Daemon {
    const [command, ...args] = this.#enter(program);
    return this.sandbox.start({name: `${this.name}.${name}`, command, args, env: environment(program)});
  }

  /** Runs a program in the pod to its end. */
  run(program: PodProgram, options: Pick<RunOptions, 'inputUntil'> = {}): Promise<Ran> {
    const [command, ...args] = this.#enter(program);
    return run(command, args, {env: environment(program), ...options});
  }

  /** Ends everything in the pod. */
  async stop(): Promise<void> {
    await this.first.stop();
  }

  #enter({command, user}: PodProgram): [string, ...string[]] {
    const target = ['--target', String(this.pid), '--net', '--mount', '--uts', '--pid', '--root', '--wd', '--'];
    const {uid, gid} = user ?? {uid: 0, gid: 0};
    const identity = ['--reuid', String(uid), '--regid', String(gid), '--clear-groups', '--'];
    return ['nsenter', ...target, 'setpriv', ...identity, ...command];
  }
}

function environment({env}: PodProgram): NodeJS.ProcessEnv {
  return {PATH: searchPath, HOME: '/', ...env};
}
