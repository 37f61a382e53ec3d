import {eastWestGateway, gatewayPod, gatewayServer, gatewayServers} from '../../healthy.js';
import type {Fault} from '../builders.js';

/** Faults of the gateways between networks. */
export const gatewayFaults: readonly Fault[] = [
  [
    'no Gateway selects the pods of the east-west gateway',
    {cluster1: {gatewayServers: gatewayServers(gatewayServer({selector: {istio: 'other'}}))}},
    ['MESH420 error'],
  ],
  [
    'the cross-network Gateway terminates TLS',
    {cluster1: {gatewayServers: gatewayServers(gatewayServer({mode: 'SIMPLE'}))}},
    ['MESH420 error'],
  ],
  [
    "an east-west gateway's Service has the label of another network",
    {cluster1: {eastWestGateways: [eastWestGateway('network2', {pods: [gatewayPod({network: 'network1'})]})]}},
    ['MESH421 error'],
  ],
  [
    'an east-west gateway gets no endpoints of its own network',
    {cluster1: {eastWestGateways: [eastWestGateway('network1', {pods: [gatewayPod({view: ['network2']})]})]}},
    ['MESH421 error'],
  ],
];
