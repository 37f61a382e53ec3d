/** `certs generate`: the root CA once, a cluster CA for each cluster. */
import {defined} from '../../domain/defined.js';
import {type CertificateInShort, certificateInShort} from '../../domain/x509/describe.js';
import {readableRoots, signingChain} from '../../domain/ca/trust-store.js';
import type {Operation, PhaseRun} from '../../engine/operation.js';
import {type ClusterResult, outcomeOf} from '../../engine/report.js';
import {caOf, caRunResult, type CaRunResult, concludeCaRun} from './ca-run.js';
import {gatherGenerate, type GenerateFacts, type GenerateRequest} from './generate-facts.js';
import {type GeneratePlan, planGenerate} from './plan-generate.js';

/** The root CA after the run. */
export interface RootResult {
  readonly outcome: 'done' | 'unchanged' | 'failed' | 'skipped' | 'cancelled';
  /** What was, or in a dry run would be, done; absent when nothing is to be done. */
  readonly action?: string;
  readonly certificate?: CertificateInShort;
  /** How root-key.pem is protected; `missing`: it is not here; `elsewhere`: it never is a file. */
  readonly protection?: 'encrypted' | 'clear' | 'missing' | 'elsewhere';
  /** It came from the signer, the clusters or a file, and should be compared with what its owner publishes. */
  readonly takenOver?: true;
}

/** One cluster after the run. */
export interface GenerateClusterResult extends ClusterResult {
  /** What was, or in a dry run would be, done; absent when nothing is to be done. */
  readonly action?: string;
  readonly certificate?: CertificateInShort;
  /** What the signer made other than was asked for. */
  readonly changes?: readonly string[];
}

/** What `certs generate` answers. */
export interface GenerateResult extends CaRunResult<GenerateClusterResult> {
  readonly root: RootResult;
}

/** Makes what is missing and leaves alone what is valid. */
export const generateCerts: Operation<GenerateRequest, GenerateResult> = {
  command: 'certs generate',
  changes: true,
  async execute(request, engine) {
    const run = await engine.run<GenerateFacts, GeneratePlan>({
      title: 'read the work directory',
      gather: (deps) => gatherGenerate(request, deps),
      plan: planGenerate,
    });
    return report(run);
  },
  conclude: concludeCaRun,
};

type GenerateRun = PhaseRun<GenerateFacts, GeneratePlan>;

function report(run: GenerateRun): GenerateResult {
  const {clusters} = run.facts;
  return {
    root: reportRoot(run),
    ...caRunResult(
      run,
      clusters.map(({name}) => name),
      (result) => {
        const action = run.plan.clusterActions.find(({cluster}) => cluster === result.name);
        const issued = action?.kind === 'issue-cluster-ca' ? outcomeOf(run, action)?.result : undefined;
        const ca = caOf(clusters.find(({name}) => name === result.name)?.state);
        const certificate = issued ? inShort(issued) : ca && certificateInShort(ca);
        return defined({...result, action: action?.title, certificate, changes: issued?.changes});
      },
    ),
  };
}

function reportRoot(run: GenerateRun): RootResult {
  const {root, signer, now} = run.facts;
  const action = run.plan.root;
  const created = action?.kind === 'create-root-ca' ? outcomeOf(run, action)?.result : undefined;
  const takenText = action?.kind === 'write-files' ? action.files[0]?.content : undefined;
  // The root that comes from somewhere else, as it is (to be) written.
  const [taken] = typeof takenText === 'string' ? readableRoots(takenText) : [];
  const shown = taken ?? (root.kind === 'present' ? signingChain(root, now).at(-1) : undefined);
  return defined({
    outcome: outcomeOf(run, action)?.status ?? (root.kind === 'present' ? 'unchanged' : 'skipped'),
    action: action?.title,
    certificate: created ? inShort(created) : shown && certificateInShort(shown),
    protection: protectionOf(root, signer, action),
    takenOver: taken && true,
  });
}

function protectionOf(
  root: GenerateFacts['root'],
  signer: GenerateFacts['signer'],
  action: GeneratePlan['root'],
): RootResult['protection'] {
  if (root.kind === 'present') {
    if (root.key !== 'missing') return root.key;
    return signer.kind === 'key-file' || signer.kind === 'idle' ? 'missing' : 'elsewhere';
  }
  if (action?.kind === 'create-root-ca') return action.protection;
  return action && signer.kind === 'ready' ? 'elsewhere' : undefined;
}

function inShort({subject, key, fingerprint, notAfter}: CertificateInShort): CertificateInShort {
  return {subject, key, fingerprint, notAfter};
}
