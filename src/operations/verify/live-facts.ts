/** What every running istiod pod presents: one port-forward and one handshake for each, since replicas can differ. */
import {Parts} from '../../domain/checks/facts.js';
import type {ControlPlaneFacts, PodFacts, ServedChain} from '../../domain/checks/facts.js';
import {certificateFacts} from '../../domain/checks/read/cluster-ca.js';
import {MeshError} from '../../domain/errors.js';
import type {Observed} from '../../domain/observed.js';
import {parseCertificate} from '../../domain/pki/certificate.js';
import type {Deps} from '../../engine/deps.js';
import {attempt} from './attempt.js';
import type {ClusterReads} from './cluster-reads.js';

/** istiod's secure gRPC port, where it presents the certificate that its own CA signed. */
const securePort = 15012;
const handshakeTimeoutMs = 10_000;

interface Target {
  readonly pod: PodFacts;
  readonly deployment: string;
}

/** Asks all istiod pods at the same time. A revision without a running pod is unknown, never fine. */
export async function probeIstiods(
  deps: Deps,
  reads: ClusterReads,
  namespace: string,
  controlPlanes: readonly ControlPlaneFacts[],
): Promise<Parts<ServedChain>> {
  const parts = controlPlanes.flatMap(({workload}): readonly Promise<Part>[] => {
    const running = workload.pods.filter(({gone, phase}) => !gone && phase === 'Running');
    if (running.length === 0) return [Promise.resolve(nobodyToAsk(workload.name, namespace))];
    return running.map(async (pod) => ({
      name: pod.name,
      seen: await attempt(deps.signal, () => probe(deps, reads, namespace, {pod, deployment: workload.name})),
    }));
  });
  return new Parts(await Promise.all(parts));
}

interface Part {
  readonly name: string;
  readonly seen: Observed<ServedChain>;
}

function nobodyToAsk(deployment: string, namespace: string): Part {
  const unknown = new MeshError(
    'NOT_FOUND',
    `no pod of deployment ${namespace}/${deployment} is Running, so none can be asked`,
  );
  return {name: deployment, seen: {unknown: {code: unknown.code, message: unknown.message, hints: []}}};
}

async function probe(deps: Deps, reads: ClusterReads, namespace: string, target: Target): Promise<ServedChain> {
  const {pod, deployment} = target;
  const forward = await reads.forward(pod.name, [securePort]);
  try {
    const port = forward.ports.get(securePort);
    if (port === undefined)
      throw new MeshError('UNREACHABLE', `port ${String(securePort)} of ${pod.name} is not forwarded`);
    // istiod answers for istiod[-REVISION].NAMESPACE.svc; which name is asked for decides nothing.
    const der = await deps.tls.presentedChain({
      port,
      servername: `${deployment}.${namespace}.svc`,
      timeoutMs: handshakeTimeoutMs,
    });
    const chain = der.map((bytes) => parseCertificate(bytes, `certificate presented by ${pod.name}`));
    return {
      chain: chain.map(certificateFacts),
      linked: chain.every((certificate, index) => {
        const issuer = chain[index + 1];
        return !issuer || certificate.signedBy(issuer.publicKey);
      }),
    };
  } finally {
    await forward.close();
  }
}
