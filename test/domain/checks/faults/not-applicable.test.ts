import {describe, expect, it} from 'vitest';
import {PerPod} from '../../../../src/domain/facts/facts.js';
import {clusterCa, controlPlane, type Spoilt} from '../healthy.js';
import {notKept, resultOf} from './builders.js';

const noFiles = {missing: ['ca-cert.pem'], problems: [], key: 'absent', roots: []} as const;

describe('what does not apply', () => {
  it.each([
    ['MESH104', {cluster1: {caFiles: clusterCa('cluster1', {key: 'absent'})}}],
    ['MESH203', {declared1: {uid: undefined as never}}],
    ['MESH301', {cluster1: {cacerts: 'absent'}, declared1: {role: 'remote'}}],
    ['MESH302', {cluster1: {controlPlanes: [controlPlane('cluster1', {bundleName: undefined as never})]}}],
    ['MESH306', {cluster1: {liveRoots: 'elsewhere'}}],
    ['MESH306', {cluster1: {webhooks: []}}],
    ['MESH306', {cluster1: {controlPlanes: []}}],
    ['MESH307', {cluster1: {liveRoots: 'elsewhere'}}],
    ['MESH307', {cluster2: {servedChains: new PerPod([])}}],
    ['MESH310', {cluster1: {proxyRoots: {state: 'elsewhere'}}}],
    ['MESH402', {cluster1: {controlPlanes: []}, declared1: {role: 'remote'}}],
    ['MESH403', {cluster1: {gateways: []}}],
    ['MESH406', {mesh: {meshID: undefined as never}}],
    ['MESH101', {meshValues: {declaration: {present: false, problems: [], clusters: 0}}}],
    ['MESH106', {meshValues: {fileModes: []}}],
    ['MESH110', {cluster1: {caFiles: noFiles}, cluster2: {caFiles: noFiles}}],
    ['MESH114', {meshValues: {gitHistory: {absent: 'the work directory is not in a git repository'}}}],
    ['MESH114', {meshValues: {gitHistory: {keys: [], more: 0, shallow: true}}}],
    ['MESH115', {...notKept, facts1: {cacerts: {leftOut: '--offline'}}}],
  ] as const satisfies readonly (readonly [string, Spoilt])[])('%s is skipped, with a reason', (id, spoilt) => {
    expect(resultOf(id, spoilt)).toBe('skipped');
  });
});
