/** agnhost's endpoint /dial, with which its pod sends a request (kubernetes/kubernetes test/images/agnhost/netexec/netexec.go). */
import {MeshError} from '../errors.js';
import {isTree} from '../tree.js';
import {trafficPort} from './names.js';

/** The longest response that is read. Bytes: a response of Envoy has about 200. */
export const maxDialBytes = 64 * 1024;

/** The path that lets a pod send one request for the name of the pod that answers. */
export function dialPath(host: string): string {
  const query = new URLSearchParams({
    host,
    port: String(trafficPort),
    protocol: 'http',
    request: 'hostname',
    tries: '1',
  });
  return `/dial?${query.toString()}`;
}

/** What came back: the body of a response, whatever its HTTP status, or why there is none. */
export interface DialAnswer {
  readonly isResponse: boolean;
  readonly text: string;
}

/** Reads the response of /dial. Throws `API_ERROR` if it does not have the form of agnhost's. */
export function readDialAnswer({status, text}: {readonly status: number; readonly text: string}): DialAnswer {
  // It does not resolve the host.
  if (status === 400) return {isResponse: false, text};
  const value = status === 200 ? parsed(text) : undefined;
  if (!isTree(value)) {
    throw new MeshError(
      'API_ERROR',
      `the client pod returned HTTP ${String(status)}, and not the response of agnhost to /dial`,
    );
  }
  const [error] = texts(value.errors);
  if (error !== undefined) return {isResponse: false, text: error};
  // agnhost omits a response without a body.
  return {isResponse: true, text: texts(value.responses)[0] ?? ''};
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function texts(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : [];
}
