/** Faults on the way to a cluster: API servers, rights, contexts. */
import type {Fault} from '../harness/fault.js';

export const accessFaults: readonly Fault[] = [
  {
    id: 'MESH201-stopped',
    title: 'the API server of a cluster is stopped',
    cluster: 'two',
    result: 'unknown',
    says: /refused/,
    seed: async (lab) => {
      await lab.cluster('two').stop();
      return undefined;
    },
    mend: {person: 'starts the API server', act: (lab) => lab.cluster('two').start()},
  },
];
