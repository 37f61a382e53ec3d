/** Where `kubectl port-forward` to a pod with real processes leads: a PortForward object of kwok with the pod's name. */
import type {Api} from './api.js';

/** A pod by its name. */
interface PodName {
  readonly name: string;
  readonly namespace: string;
}

/** The way from a port of a pod: to an address of this machine, or through a program's standard input and output. */
export interface Forward {
  readonly ports: readonly [number];
  readonly target?: {readonly address: string; readonly port: number};
  readonly command?: readonly string[];
}

/** Lets `kubectl port-forward` reach these ports of a pod. */
export async function allowForwards(api: Api, pod: PodName, forwards: readonly Forward[]): Promise<void> {
  await api.apply(pathOf(pod), {
    apiVersion: 'kwok.x-k8s.io/v1alpha1',
    kind: 'PortForward',
    metadata: {name: pod.name},
    spec: {forwards},
  });
}

/** Ends that for a pod that is gone. */
export async function endForwards(api: Api, pod: PodName): Promise<void> {
  await api.remove(pathOf(pod));
}

/**
 * The way to a port of 127.0.0.1 in the network of a process, which a container runtime's port-forward takes: Istio's redirection
 * does not catch it, unlike a connection to the pod's address.
 */
export function toLoopbackOf(pid: number, port: number): Forward {
  const pipe = `const socket = require('node:net').connect(${String(port)}, '127.0.0.1').on('error', () => process.exit(1)); process.stdin.pipe(socket).pipe(process.stdout);`;
  return {ports: [port], command: ['nsenter', '--target', String(pid), '--net', '--', process.execPath, '-e', pipe]};
}

function pathOf({name, namespace}: PodName): string {
  return `/apis/kwok.x-k8s.io/v1alpha1/namespaces/${namespace}/portforwards/${name}`;
}
