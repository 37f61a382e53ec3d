/**
 * Reads istiod's `/debug/networkz`: the gateways through which it sends requests to other networks (istio/istio
 * pilot/pkg/model/network.go, `NetworkGateway`, `AllGateways`).
 */
import * as z from 'zod';
import {printableLine} from '../../printable.js';
import {readDebugJson} from './debug-json.js';

export const networkzPath = '/debug/networkz';

const gatewayList = z.array(z.object({Network: z.string().max(512).transform(printableLine)}));

/** Reads a response: the networks with a gateway. `pod` is for messages. Throws `API_ERROR` if the text is something else. */
export function readNetworkz(text: string, pod: string): readonly string[] {
  const response = {text, path: networkzPath, pod};
  const gateways = readDebugJson(gatewayList, response, {empty: [], what: 'a list of network gateways'});
  return [...new Set(gateways.map(({Network}) => Network))];
}
