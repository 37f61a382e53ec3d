/** The words of `certs adopt`: what was seen of each context, and what is decided about it. */
import type {ErrorReport} from '../../domain/errors.js';
import type {Declaration} from '../../domain/mesh/declare.js';
import type {MeshFile} from '../../domain/mesh/schema.js';
import type {Observed} from '../../domain/observed.js';
import type {CaFiles} from '../../domain/ca/ca-files.js';
import type {FileContent} from '../../workspace/workspace.js';
import type {Warning} from '../../engine/operation.js';
import type {RunningCluster} from '../../observe/running-cluster.js';

/** A context that was named, and what was seen of it. */
export interface Looked {
  readonly context: string;
  /** As said with NAME=CONTEXT. */
  readonly said?: string;
  readonly seen: Observed<RunningCluster>;
}

/** What the work directory has already. */
export interface Standing {
  readonly file: MeshFile | undefined;
  /** This person's contexts, by cluster. */
  readonly contexts: Readonly<Record<string, string>>;
  readonly rootCert: string | undefined;
  readonly hasRootKey: boolean;
  /** CA files of clusters, by name. */
  readonly files: ReadonlyMap<string, CaFiles>;
}

/** Where a cluster's CA is kept. */
export type KeptIn = 'cacerts' | 'istio-ca-secret' | 'elsewhere';

/** One context after the decision. */
export interface Adopted {
  readonly context: string;
  readonly name: string;
  readonly error?: ErrorReport;
  readonly running?: RunningCluster;
  readonly keptIn?: KeptIn;
  /** Who fills Secret cacerts, where that shows. */
  readonly keeper?: string;
  readonly files: readonly FileContent[];
  readonly copiesKey: boolean;
}

/** The whole decision. */
export interface Adoption {
  readonly clusters: readonly Adopted[];
  readonly declaration: Declaration;
  /** root-cert.pem of the mesh, where it is to be written. */
  readonly rootCert: FileContent | undefined;
  readonly warnings: readonly Warning[];
}

/** A context whose cluster was seen and can be adopted so far. */
export type Good = Adopted & {readonly running: RunningCluster};

/** Nothing to write. */
export const none = {files: [], copiesKey: false} as const;

/** A context that cannot be adopted, and why. */
export function failed({context, name}: Pick<Adopted, 'context' | 'name'>, error: ErrorReport): Adopted {
  return {...none, context, name, error};
}
