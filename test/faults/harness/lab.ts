/** A running healthy mesh that faults are seeded in, one after the other. */
import {readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import type {Cluster} from '../../e2e/harness/cluster.js';
import {startSetting, type Setting} from '../../e2e/harness/mesh.js';
import type {CheckRow, MeshCli, Verdict} from '../../e2e/harness/mesh-cli.js';
import {HarnessError, eventually, output, run} from '../../e2e/harness/processes.js';
import {shapes, type ShapeName} from './shapes.js';

/** How long a fixed mesh may take to be green: istiod's lease, after a restart, and a busy machine. */
const greenTimeout = '150s';

/** What `verify -o json` printed, and its exit code. */
export type Verified = Verdict & {readonly code: number | null};

/** One mesh of a shape. */
export class Lab {
  readonly cli: MeshCli;
  /** The rows of the last green verify. */
  baseline: readonly CheckRow[] = [];

  private constructor(readonly setting: Setting) {
    this.cli = setting.cli;
  }

  /** Starts clusters and makes the mesh; throws when it is not green then. */
  static async make(name: ShapeName): Promise<Lab> {
    const {clusters, build} = shapes[name];
    const setting = await startSetting(...clusters);
    try {
      await build(setting);
      const lab = new Lab(setting);
      const verified = await lab.waitForGreen();
      const bad = verified.checks.filter(({result}) => result !== 'ok' && result !== 'skipped');
      if (bad.length > 0)
        throw new HarnessError(`the lab ${name} is not healthy: ${JSON.stringify(bad, undefined, 2)}`);
      return lab;
    } catch (error) {
      await setting.sandbox.close();
      throw error;
    }
  }

  /** A whole verify in which warnings count, and who can reach the keys. */
  verify(...args: readonly string[]): Promise<Verified> {
    return this.cli.verify('--fail-on', 'warning', '--access', ...args);
  }

  /** The same until green; its rows become the baseline when it is. */
  async waitForGreen(): Promise<Verified> {
    const verified = await this.verify('--wait', '--timeout', greenTimeout);
    if (verified.code === 0 && verified.verdict === 'ok') this.baseline = verified.checks;
    return verified;
  }

  /** A cluster by its name. */
  cluster(name: string): Cluster {
    const found = this.setting.clusters.find((cluster) => cluster.name === name);
    if (found === undefined) throw new HarnessError(`the lab has no cluster ${name}`);
    return found;
  }

  /** A path of the work directory. */
  path(...words: readonly string[]): string {
    return join(this.cli.workDir, ...words);
  }

  /** Text of a file of the work directory. */
  read(...words: readonly string[]): string {
    return readFileSync(this.path(...words), 'utf8');
  }

  /** Changes the text of a file of the work directory in place, as an editor does; it must become another one. */
  edit(file: string, change: (text: string) => string): void {
    const before = this.read(file);
    const after = change(before);
    if (after === before) throw new HarnessError(`the edit of ${file} changes nothing:\n${before}`);
    writeFileSync(this.path(file), after);
  }

  /** A shell line in the work directory that must succeed: the command that caused the fault. */
  async type(line: string): Promise<string> {
    return output('bash', ['-c', `set -e\n${line}`], {cwd: this.cli.workDir, env: this.cli.env});
  }

  /** Waits until the cluster's istiod serves a certificate of the CA in the cluster's files; it reloads those by itself. */
  async waitForChain(cluster: string): Promise<void> {
    const own = this.read(cluster, 'ca-cert.pem').trim();
    const kubelet = this.cluster(cluster).kubelet;
    await eventually(`istiod of ${cluster} serves its new chain`, async () => {
      const pod = await kubelet?.readyIstiod();
      const address = `127.0.0.1:${String(pod?.ports[15012])}`;
      const {stdout} = await run('openssl', ['s_client', '-connect', address, '-showcerts']);
      return stdout.includes(own) || undefined;
    });
  }

  async close(): Promise<void> {
    await this.setting.sandbox.close();
  }
}
