import {
  clusterValues,
  eastWestGateway,
  gatewayChain,
  gatewayPod,
  gatewayServer,
  gatewayServers,
} from '../../healthy.js';
import type {Fault} from '../builders.js';

const {controlPlanes, gateways, namespaces, podAddresses} = clusterValues('cluster2');
/** cluster1 is on the network of cluster2 as well. */
const oneNetwork = {
  declared1: {network: 'network2'},
  cluster1: {
    controlPlanes: controlPlanes.map((one) => ({...one, clusterID: 'cluster1', proxyClusterID: 'cluster1'})),
    gateways,
    namespaces,
    eastWestGateways: [],
  },
} as const;

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
  [
    'pods of two clusters on one network have the same address',
    {...oneNetwork, cluster1: {...oneNetwork.cluster1, podAddresses}},
    ['MESH422 error'],
  ],
  [
    'another mesh answers at the address of the east-west gateway',
    {cluster1: {gatewayChains: [gatewayChain('foreign')]}},
    ['MESH423 error'],
  ],
];
