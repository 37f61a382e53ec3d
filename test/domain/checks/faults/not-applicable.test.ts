import {describe, expect, it} from 'vitest';
import {caFileNames} from '../../../../src/domain/ca/ca-files.js';
import {PerPod} from '../../../../src/domain/facts/facts.js';
import {clusterCa, controlPlane, type Overrides} from '../healthy.js';
import {keysNotRetained, resultOf} from './builders.js';
import {withUser} from './rows/discovery.js';

const noFiles = {missing: ['ca-cert.pem'], problems: [], key: 'absent', roots: []} as const;

const noCaFiles = {...noFiles, missing: Object.values(caFileNames)};
const csi = {from: 'volume', what: 'a volume of CSI driver x'} as const;

describe('a check that does not apply', () => {
  it.each([
    ['MESH104', {cluster1: {caFiles: clusterCa('cluster1', {key: 'absent'})}}],
    ['MESH203', {declared1: {uid: undefined as never}}],
    ['MESH301', {cluster1: {cacerts: 'absent'}, declared1: {role: 'remote'}}],
    ['MESH301', {cluster1: {caSources: [{istiod: 'istiod', source: csi}], cacerts: 'absent'}}],
    ['MESH102', {cluster1: {caFiles: noCaFiles, caOrigin: {from: 'mounted', source: csi}}}],
    ['MESH302', {cluster1: {controlPlanes: [controlPlane('cluster1', {bundleName: undefined as never})]}}],
    ['MESH306', {cluster1: {liveRoots: 'ClusterTrustBundle'}}],
    ['MESH306', {cluster1: {webhooks: []}}],
    ['MESH306', {cluster1: {controlPlanes: []}}],
    ['MESH307', {cluster1: {liveRoots: 'ClusterTrustBundle'}}],
    ['MESH307', {cluster2: {servedChains: new PerPod([])}}],
    ['MESH310', {cluster1: {proxyRoots: {state: 'ClusterTrustBundle'}}}],
    ['MESH402', {cluster1: {controlPlanes: []}, declared1: {role: 'remote'}}],
    ['MESH403', {cluster1: {gateways: []}}],
    ['MESH406', {mesh: {meshID: undefined as never}}],
    ['MESH101', {meshValues: {declaration: {present: false, problems: [], clusters: 0}}}],
    ['MESH106', {meshValues: {fileModes: []}}],
    ['MESH110', {cluster1: {caFiles: noFiles}, cluster2: {caFiles: noFiles}}],
    ['MESH114', {meshValues: {gitHistory: {absent: 'the work directory is not in a git repository'}}}],
    ['MESH114', {meshValues: {gitHistory: {keys: [], more: 0, shallow: true}}}],
    ...['MESH503', 'MESH504'].map((id) => [id, withUser({'auth-provider': {name: 'oidc'}})] as const),
    ['MESH115', {...keysNotRetained, facts1: {cacerts: {omitted: '--offline'}}}],
  ] as const satisfies readonly (readonly [string, Overrides])[])('is skipped: %s', (id, overrides) => {
    expect(resultOf(id, overrides)).toBe('skipped');
  });
});
