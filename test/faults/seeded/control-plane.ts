/** Faults of the control planes: MESH4xx. */
import type {Fault} from '../harness/fault.js';

export const controlPlaneFaults: readonly Fault[] = [
  {
    id: 'MESH401-network-label-gone',
    title: "the network label was taken off Istio's namespace",
    cluster: 'two',
    says: /topology\.istio\.io\/network/,
    seed: async (lab) => {
      await lab.cluster('two').kubectl('label', 'namespace', 'istio-system', 'topology.istio.io/network-');
      return undefined;
    },
    mend: 'as printed',
  },
];
