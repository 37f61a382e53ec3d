/** Faults of trust in the clusters: MESH3xx as the API server shows it. */
import type {Fault} from '../harness/fault.js';

export const trustFaults: readonly Fault[] = [
  {
    id: 'MESH301-deleted',
    title: 'Secret cacerts was deleted',
    cluster: 'one',
    says: /no Secret istio-system\/cacerts/,
    seed: async (lab) => {
      await lab.cluster('one').kubectl('-n', 'istio-system', 'delete', 'secret', 'cacerts');
      return undefined;
    },
    mend: 'as printed',
  },
];
