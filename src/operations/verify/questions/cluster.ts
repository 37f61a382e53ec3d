/** All questions about one cluster, and what they share. */
import type {ClusterFactValues, ControlPlaneFacts} from '../../../domain/checks/facts.js';
import type {Mesh, MeshCluster} from '../../../domain/mesh/mesh.js';
import type {OwnCa} from '../../../domain/trust/diff.js';
import type {Deps} from '../../../engine/deps.js';
import type {JournalState} from '../../../workspace/workspace.js';
import type {ClusterReads} from '../cluster-reads.js';
import type {IstiodPods} from '../istiod-pods.js';
import type {Questions} from '../questions.js';
import {accessQuestions} from './access.js';
import {controlPlaneQuestions} from './control-plane.js';
import {journalQuestions} from './journal.js';
import {liveQuestions} from './live.js';
import {rootsQuestions} from './roots.js';
import {trustQuestions} from './trust.js';
import {webhookQuestions} from './webhooks.js';
import {folderQuestions} from './workdir.js';

/** What shapes the questions besides the cluster. */
export interface ClusterQuestionOptions {
  readonly deps: Deps;
  readonly mesh: Mesh;
  readonly cluster: MeshCluster;
  readonly reads: ClusterReads;
  /** Asked once. */
  readonly controlPlanes: () => Promise<readonly ControlPlaneFacts[]>;
  readonly pods: IstiodPods;
  /** `--no-secrets`: what istiod should have loaded is then taken from the work directory. */
  readonly noSecrets: boolean;
  /** `--offline`: the cluster is not asked at all. */
  readonly offline: boolean;
  /** The cluster's CA as the work directory has it. */
  readonly ownCa: () => Promise<OwnCa>;
  /** Read once for all clusters. */
  readonly journal: () => Promise<JournalState>;
}

/** The questions about one cluster and its folder. */
export function clusterQuestions(options: ClusterQuestionOptions): Questions<ClusterFactValues> {
  return {
    ...folderQuestions(options),
    ...accessQuestions(options),
    ...controlPlaneQuestions(options),
    ...trustQuestions(options),
    ...journalQuestions(options),
    ...rootsQuestions(options),
    ...webhookQuestions(options),
    ...liveQuestions(options),
  };
}
