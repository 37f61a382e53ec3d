/** A healthy mesh that verify must not complain about: how it is made, and which warnings are true of it. */
import type {ClusterOptions} from '../../e2e/harness/cluster.js';
import type {ControlPlanes} from '../../e2e/harness/control-planes.js';
import type {Setting} from '../../e2e/harness/mesh.js';

/** A recipe. One file each in this folder, and a line in `meshes.ts`. */
export interface Mesh {
  /** `healthy-ours`: also what `--only` takes. */
  readonly id: `healthy-${string}`;
  /** What is special about it, for the table. */
  readonly title: string;
  readonly clusters: readonly ClusterOptions[];
  /** The programs of its control planes. Absent: the built ones. */
  readonly planes?: () => Promise<ControlPlanes>;
  /** Makes the mesh in the work directory of `setting.cli`, and waits until everything runs. */
  readonly build: (setting: Setting) => Promise<void>;
  /** Ids of warnings that are true here, each with the reason why it is. */
  readonly trueWarnings: Readonly<Record<string, string>>;
}
