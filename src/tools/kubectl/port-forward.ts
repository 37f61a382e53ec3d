import {MeshError} from '../../domain/errors.js';
import {responseError, unreachable, type ApiRequest} from '../../domain/kube/status.js';
import {seconds} from '../bounded.js';
import {lastLines} from '../child-output.js';
import type {PortForward} from './api.js';
import {startKubectl, type Kubectl} from './start.js';

/** The pod and its ports. */
export interface ForwardOptions extends Kubectl {
  readonly namespace: string;
  readonly pod: string;
  readonly ports: readonly number[];
  /** How long kubectl may take until all ports are forwarded. Milliseconds. */
  readonly timeoutMs: number;
}

/** `Forwarding from 127.0.0.1:40001 -> 15012`, as kubectl prints it for each port. */
const forwardingLine = /^Forwarding from 127\.0\.0\.1:(\d+) -> (\d+)$/;

/**
 * Starts `kubectl port-forward` to a pod, on free local ports, and waits until all are forwarded. Throws
 * `NOT_FOUND`, `FORBIDDEN`, `UNREACHABLE`, `TOOL_MISSING`, `TOOL_FAILED`.
 */
export async function startPortForward(options: ForwardOptions): Promise<PortForward> {
  const {context, namespace, pod, ports, timeoutMs} = options;
  const local = ports.map((port) => `:${String(port)}`);
  const args = [`--namespace=${namespace}`, 'port-forward', '--address=127.0.0.1', `pod/${pod}`, ...local];
  const found = new Map<number, number>();
  const {tool, state} = await startKubectl(options, {args, stdin: 'none'}, timeoutMs, (line) => {
    const match = forwardingLine.exec(line);
    if (match) found.set(Number(match[2]), Number(match[1]));
    return found.size === new Set(ports).size;
  });
  if (state === 'ready') return {ports: found, close: () => tool.stop()};
  if (state === 'ended') throw portForwardError(options, tool.stderr());
  throw unreachable(context, `no port of pod ${pod} was forwarded within ${seconds(timeoutMs)}`);
}

/**
 * The error if port-forwarding itself is forbidden: the pod was read, then the connection failed (`error: error
 * upgrading connection: pods "x" is forbidden: …`). SPDY uses POST, WebSocket uses GET, and the required permission
 * follows the verb.
 */
const forwardForbidden = / is forbidden: .* cannot (create|get) resource "pods\/portforward"/;

/** The error for `Error from server (Forbidden): …`, or for a message of the transport. */
function portForwardError({context, namespace, pod}: ForwardOptions, stderr: string): MeshError {
  const request: ApiRequest = {verb: 'get', resource: 'pods', name: pod, namespace, context};
  const failed = (to: ApiRequest, status: number, reason: string, message: string): MeshError =>
    responseError(to, {
      status,
      contentType: 'application/json',
      body: JSON.stringify({message, reason}),
      toolText: stderr,
    });
  const output = lastLines(stderr).replace(/^error: /, '');
  const [, verb] = forwardForbidden.exec(output) ?? [];
  if (verb === 'create' || verb === 'get')
    return failed({...request, verb, resource: 'pods/portforward'}, 403, 'Forbidden', output);
  const [, reason, message = ''] = /^Error from server(?: \((\w+)\))?: (.*)$/m.exec(stderr) ?? [];
  const status = reason === undefined ? undefined : {Forbidden: 403, NotFound: 404, Unauthorized: 401}[reason];
  if (reason !== undefined && status !== undefined) return failed(request, status, reason, message);
  if (/unable to connect|connection to the server|dial tcp|no such host|timeout/i.test(output)) {
    return unreachable(context, output);
  }
  return new MeshError(
    'TOOL_FAILED',
    `cannot forward ports of pod ${namespace}/${pod} in context "${context}": ${output}`,
  );
}
