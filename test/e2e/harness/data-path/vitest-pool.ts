/** Workers of Vitest that have a network of their own (own-network.ts): the pool of the project `data-path`. */
import {ForksPoolWorker, type PoolOptions, type PoolWorker} from 'vitest/node';
import {canHaveOwnNetwork, ownNetwork} from './own-network.js';

/** Vitest's pool `forks`, each worker in a network of its own. */
export const inOwnNetwork = {
  name: 'own-network',
  createPoolWorker: (options: PoolOptions): PoolWorker => new OwnNetworkWorker(options),
};

class OwnNetworkWorker extends ForksPoolWorker {
  override readonly name = inOwnNetwork.name;

  override start(): Promise<void> {
    if (!canHaveOwnNetwork()) return super.start();
    // child_process.fork runs process.execPath with the worker's execArgv, before start() first waits for anything.
    const node = process.execPath;
    const [unshare, ...namespaces] = ownNetwork;
    this.execArgv = [...namespaces, node, ...this.execArgv];
    process.execPath = unshare;
    try {
      return super.start();
    } finally {
      process.execPath = node;
    }
  }
}
