import {describe, expect, it} from 'vitest';
import {otherOwner} from '../../../src/domain/ca/cluster-of-ca.js';
import {
  canBeDataKey,
  canCreateRemoteSecret,
  clusterOfIstioName,
  istioNameOf,
  ownerOfIstioName,
} from '../../../src/domain/mesh/istio-name.js';

const east = {name: 'east', istioName: 'Kubernetes'};
const west = {name: 'west'};

describe("Istio's name of a cluster", () => {
  it('is the name in mesh.yaml unless it is declared', () => {
    expect([east, west].map(istioNameOf)).toEqual(['Kubernetes', 'west']);
  });

  it('leads to the cluster that has it, and not to one with this name in mesh.yaml', () => {
    expect(['Kubernetes', 'west', 'east'].map((name) => clusterOfIstioName([east, west], name)?.name)).toEqual([
      'east',
      'west',
      undefined,
    ]);
  });

  it('has an owner if any other cluster has it as one of its names', () => {
    const owner = (name: string, except: string) => ownerOfIstioName([east, west], name, except)?.name;
    expect([owner('Kubernetes', 'west'), owner('east', 'west'), owner('Kubernetes', 'east')]).toEqual([
      'east',
      'east',
      undefined,
    ]);
  });

  it.each([
    ['Kubernetes', true, false],
    ['prod-eu', true, true],
    ['Prod_EU.2', true, false],
    ['us.east', true, false],
    ['team/a', false, false],
    ['a:b', false, false],
    ['a'.repeat(253), true, false],
    ['a'.repeat(254), false, false],
    ['.', false, false],
    ['..', false, false],
    ['..data', false, false],
    ['.hidden', true, false],
  ])('%s can be the key of a Secret: %s; istioctl can create its remote secret: %s', (name, key, istioctl) => {
    expect([canBeDataKey(name), canCreateRemoteSecret(name)]).toEqual([key, istioctl]);
  });
});

describe('the owner of a CA', () => {
  it.each([
    ['Kubernetes', 'west', 'east'],
    ['east', 'west', 'east'],
    ['Kubernetes', 'east', undefined],
    ['east', 'east', undefined],
    ['west', 'east', 'west'],
    ['elsewhere', 'east', undefined],
  ])('with the locality %s in the directory of %s: %s', (locality, cluster, owner) => {
    expect(otherOwner(locality, cluster, [east, west])).toBe(owner);
  });
});
