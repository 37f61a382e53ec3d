/** The programs whose verdicts are compared, running. */
import {existsSync} from 'node:fs';
import {homedir, cpus} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {controlPlanes} from '../../test/e2e/harness/control-planes.js';
import {HarnessError} from '../../test/e2e/harness/processes.js';
import type {Case} from './cases.js';
import {LinePool} from './line-process.js';
import {peerFiles} from './sets.js';
import type {Handshake, Judged, Loaded, Verdict} from './verdict.js';

const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
/** Python with grpcio (`npm run peer-tools`). */
const python = join(homedir(), '.cache', 'kubectl-mesh', 'peer-tools', 'grpcio', 'bin', 'python');

/** Our own verdict, istiod's and BoringSSL's. */
export class Judges {
  readonly #ours: LinePool;
  readonly #istiod: LinePool;
  readonly #boringssl: LinePool | undefined;

  private constructor(loader: string, proxies: boolean) {
    const size = cpus().length;
    this.#ours = new LinePool(size, {
      command: process.execPath,
      args: ['--import', 'tsx', here('verdict-worker.ts')],
      window: 16,
    });
    // One process with a goroutine for each CPU.
    this.#istiod = new LinePool(1, {command: loader, args: [], window: 64});
    this.#boringssl = proxies
      ? new LinePool(size, {
          command: python,
          args: [here('boringssl.py')],
          env: {...process.env, GRPC_VERBOSITY: 'NONE'},
          window: 16,
          greeting: peerFiles(),
        })
      : undefined;
  }

  /** Builds istiod's loader if the cache lacks it. Throws {@link HarnessError} if a program is missing. */
  static async start({proxies}: {readonly proxies: boolean}): Promise<Judges> {
    if (proxies && !existsSync(python)) {
      throw new HarnessError('Python with grpcio not found: install it with npm run peer-tools');
    }
    const programs = await controlPlanes(['ca-loader']);
    return new Judges(programs.path('ca-loader'), proxies);
  }

  /** All verdicts on a case whose files are in `dir`. */
  async judge({index, variant, place, base}: Case, dir: string): Promise<Judged> {
    const [answer, istiod] = await Promise.all([
      this.#ours.request<{verdict: Verdict}>({dir}),
      this.#istiod.request<Loaded>({dir}),
    ]);
    const subject = {index, variant, place, base};
    const ours = 'crashed' in answer ? answer : answer.verdict;
    if (this.#boringssl === undefined || 'crashed' in istiod || istiod.workload === undefined) {
      return {subject, ours, istiod};
    }
    return {subject, ours, istiod, boringssl: await this.#boringssl.request<Handshake>(istiod.workload)};
  }

  close(): void {
    for (const pool of [this.#ours, this.#istiod, this.#boringssl]) pool?.close();
  }
}
