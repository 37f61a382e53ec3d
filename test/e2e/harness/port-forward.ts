/** `kubectl port-forward` to one pod, for as long as a function needs it. */
import {get} from 'node:http';
import type {Cluster} from './cluster.js';
import {eventually} from './processes.js';
import {readFileSync} from 'node:fs';

let number = 0;

/** Calls `use` with a port of 127.0.0.1 that leads to the pod's port. */
export async function portForward<T>(
  cluster: Cluster,
  pod: {readonly name: string; readonly namespace: string},
  port: number,
  use: (localPort: number) => Promise<T>,
): Promise<T> {
  const daemon = cluster.sandbox.start({
    name: `port-forward-${String(++number)}`,
    command: 'kubectl',
    args: [
      '--kubeconfig',
      cluster.kubeconfig,
      '-n',
      pod.namespace,
      'port-forward',
      `pod/${pod.name}`,
      `:${String(port)}`,
    ],
  });
  try {
    const local = await eventually(
      'kubectl port-forward',
      () => /127\.0\.0\.1:(\d+) ->/.exec(readFileSync(daemon.log, 'utf8'))?.[1],
    );
    return await use(Number(local));
  } finally {
    await daemon.stop();
  }
}

/** The text that a plain HTTP server on loopback answers. */
export function fetchText(port: number, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    get({host: '127.0.0.1', port, path, timeout: 5000}, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (piece: string) => (text += piece));
      response.on('end', () => {
        resolve(text);
      });
    }).on('error', reject);
  });
}
