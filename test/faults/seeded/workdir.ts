/** Faults of the work directory: what editors, backups, openssl and people make of files. */
import type {Fault} from '../harness/fault.js';

export const workdirFaults: readonly Fault[] = [
  {
    id: 'MESH101-misspelled-field',
    title: 'a field of mesh.yaml is misspelled',
    result: 'error',
    says: /clusterz/,
    seed: (lab) => {
      lab.edit('mesh.yaml', (text) => text.replace(/^clusters:/m, 'clusterz:'));
      return Promise.resolve(undefined);
    },
    mend: {editor: (text) => text.replace(/^clusterz:/m, 'clusters:')},
    exitCode: 2,
  },
  {
    id: 'MESH102-chain-deleted',
    title: 'cert-chain.pem of a cluster was deleted',
    cluster: 'one',
    says: /no cert-chain\.pem/,
    seed: async (lab) => {
      await lab.type('rm one/cert-chain.pem');
      return undefined;
    },
    mend: 'as printed',
  },
  {
    id: 'MESH106-key-for-all',
    title: 'the CA key of a cluster was copied from a backup with mode 0644',
    says: /one\/ca-key\.pem has mode 0644/,
    seed: async (lab) => {
      await lab.type('chmod 644 one/ca-key.pem');
      return undefined;
    },
    mend: 'as printed',
  },
];
