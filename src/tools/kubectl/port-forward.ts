import {MeshError} from '../../domain/errors.js';
import {responseError, unreachable, type ApiRequest} from '../../domain/kube/status.js';
import {seconds} from '../bounded.js';
import {lastLines} from '../child-output.js';
import type {PortForward} from './api.js';
import {startKubectl, type Kubectl} from './start.js';

/** What is forwarded to. */
export interface ForwardOptions extends Kubectl {
  readonly namespace: string;
  readonly pod: string;
  readonly ports: readonly number[];
  /** How long kubectl may take until all ports are there. Milliseconds. */
  readonly timeoutMs: number;
}

/** `Forwarding from 127.0.0.1:40001 -> 15012`, as kubectl prints it for each port. */
const forwardingLine = /^Forwarding from 127\.0\.0\.1:(\d+) -> (\d+)$/;

/**
 * Starts `kubectl port-forward` to a pod, on free local ports, and waits until all of them are there. Throws
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
 * A refusal of the forwarding itself: the pod was read, and then the connection failed (`error: error upgrading
 * connection: pods "x" is forbidden: …`). By SPDY it is a POST, by WebSocket a GET, and the right follows the verb.
 */
const forwardForbidden = / is forbidden: .* cannot (create|get) resource "pods\/portforward"/;

/** `Error from server (Forbidden): …`, or words of the transport. */
function portForwardError({context, namespace, pod}: ForwardOptions, stderr: string): MeshError {
  const asked: ApiRequest = {verb: 'get', resource: 'pods', name: pod, namespace, context};
  const answered = (to: ApiRequest, status: number, message: string): MeshError =>
    responseError(to, {status, contentType: 'application/json', body: JSON.stringify({message}), toolText: stderr});
  const said = lastLines(stderr).replace(/^error: /, '');
  const [, verb] = forwardForbidden.exec(said) ?? [];
  if (verb === 'create' || verb === 'get') return answered({...asked, verb, resource: 'pods/portforward'}, 403, said);
  const [, reason, message = ''] = /^Error from server(?: \((\w+)\))?: (.*)$/m.exec(stderr) ?? [];
  const status = reason === undefined ? undefined : {Forbidden: 403, NotFound: 404, Unauthorized: 401}[reason];
  if (status !== undefined) return answered(asked, status, message);
  if (/unable to connect|connection to the server|dial tcp|no such host|timeout/i.test(said)) {
    return unreachable(context, said);
  }
  return new MeshError(
    'TOOL_FAILED',
    `kubectl could not forward ports of pod ${namespace}/${pod} in context "${context}": ${said}`,
  );
}
