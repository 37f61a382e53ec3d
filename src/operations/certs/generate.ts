/** `certs generate`: the root CA once, a cluster CA for each cluster. */
import {defined} from '../../domain/defined.js';
import {layout} from '../../domain/mesh/layout.js';
import {type Certificate, readableCertificates} from '../../domain/x509/certificate.js';
import {type CertificateSummary, summarizeCertificate} from '../../domain/x509/describe.js';
import type {ClusterState} from '../../domain/ca/workdir-state.js';
import type {WriteFiles} from '../../engine/action.js';
import {onePhase, type PhaseRun, type Warning} from '../../engine/operation.js';
import {
  type ClusterResult,
  clusterOutcomes,
  type CommonResult,
  concludeRun,
  generalPart,
  outcomeOf,
} from '../../engine/report.js';
import type {ErrorReport} from '../../domain/errors.js';
import {gatherGenerate, type GenerateFacts, type GenerateRequest} from './generate-facts.js';
import {type GeneratePlan, planGenerate} from './plan-generate.js';

/** A CA after the run: what was issued, or what was there. */
export type CaSummary = Pick<CertificateSummary, 'subject' | 'key' | 'fingerprint' | 'notAfter'>;

/** The root CA after the run. */
export interface RootResult {
  readonly outcome: 'done' | 'unchanged' | 'failed' | 'skipped' | 'cancelled';
  /** What was, or in a dry run would be, done; absent when nothing is to be done. */
  readonly action?: string;
  readonly certificate?: CaSummary;
  /** How root-key.pem is protected; `missing`: it is not here; `elsewhere`: it never is a file. */
  readonly protection?: 'encrypted' | 'clear' | 'missing' | 'elsewhere';
  /** It came from the signer, the clusters or a file, and should be compared with what its owner publishes. */
  readonly takenOver?: true;
}

/** One cluster after the run. */
export interface GenerateClusterResult extends ClusterResult {
  /** What was, or in a dry run would be, done; absent when nothing is to be done. */
  readonly action?: string;
  readonly certificate?: CaSummary;
  /** What the signer made other than was asked for. */
  readonly changes?: readonly string[];
}

/** What `certs generate` answers. */
export interface GenerateResult extends CommonResult {
  readonly root: RootResult;
  readonly clusters: readonly GenerateClusterResult[];
  /** What kept the whole run from being done. */
  readonly errors: readonly ErrorReport[];
  readonly warnings: readonly Warning[];
}

/** Makes what is missing and leaves alone what is valid. */
export const generateCerts = onePhase<GenerateRequest, GenerateResult, GenerateFacts, GeneratePlan>({
  command: 'certs generate',
  changes: true,
  title: () => 'read the work directory',
  gather: gatherGenerate,
  plan: planGenerate,
  report,
  conclude: concludeRun,
});

function report(run: PhaseRun<GenerateFacts, GeneratePlan>): GenerateResult {
  const {facts, plan} = run;
  const names = facts.clusters.map(({cluster}) => cluster.name);
  return {
    root: reportRoot(run),
    clusters: clusterOutcomes(names, run).map((result) => {
      const state = facts.clusters.find(({cluster}) => cluster.name === result.name)?.state;
      const action = plan.clusterActions.get(result.name);
      const issued = action?.kind === 'issue-cluster-ca' ? outcomeOf(run, action)?.result : undefined;
      const certificate = (issued && caSummary(issued)) ?? found(state, facts);
      return defined({...result, action: action?.title, certificate, changes: issued?.changes});
    }),
    ...generalPart(run),
  };
}

function reportRoot(run: PhaseRun<GenerateFacts, GeneratePlan>): RootResult {
  const {facts, plan} = run;
  const action = plan.root;
  const outcome = outcomeOf(run, action);
  const created = action?.kind === 'create-root-ca' ? outcomeOf(run, action)?.result : undefined;
  const {root} = facts;
  const [first] = root.kind === 'present' ? root.roots : [];
  const adopted = action?.kind === 'write-files' ? takenRoot(action) : undefined;
  const shown = adopted ?? first;
  const summary = created ?? (shown && summarizeCertificate(shown, facts.mesh.trust.expiry, facts.now));
  const taken = action?.kind === 'write-files' && facts.signer.kind === 'ready' ? 'elsewhere' : undefined;
  const made = action?.kind === 'create-root-ca' ? action.protection : taken;
  const found = facts.signer.kind === 'key-file' || facts.signer.kind === 'idle' ? 'missing' : 'elsewhere';
  const protection = root.kind !== 'present' ? made : root.key === 'missing' ? found : root.key;
  return defined({
    outcome: outcome?.status ?? (root.kind === 'present' ? 'unchanged' : 'skipped'),
    action: action?.title,
    certificate: summary && caSummary(summary),
    protection,
    takenOver: adopted && true,
  });
}

/** The root that comes from somewhere else, as it is (to be) written. */
function takenRoot({files}: WriteFiles): Certificate | undefined {
  const content = files.find(({path}) => path === layout.rootCert)?.content;
  return typeof content === 'string' ? readableCertificates(content, layout.rootCert)[0] : undefined;
}

function found(state: ClusterState | undefined, {mesh, now}: GenerateFacts): CaSummary | undefined {
  const certificate =
    state?.kind === 'valid' ? state.inspection.certificate : state?.kind === 'completable' ? state.ca : undefined;
  return certificate && caSummary(summarizeCertificate(certificate, mesh.trust.expiry, now));
}

function caSummary({subject, key, fingerprint, notAfter}: CaSummary): CaSummary {
  return {subject, key, fingerprint, notAfter};
}
