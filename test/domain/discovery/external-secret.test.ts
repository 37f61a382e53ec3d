import {describe, expect, it} from 'vitest';
import {externalSecret, tokenKey, type TokenStore} from '../../../src/domain/discovery/external-secret.js';
import {remoteSecretObject} from '../../../src/domain/discovery/remote-secret.js';
import {readRemoteKubeconfig, writeRemoteKubeconfig} from '../../../src/domain/discovery/remote-kubeconfig.js';
import type {MeshCluster} from '../../../src/domain/mesh/mesh.js';

const cluster = (name: string, more: Partial<MeshCluster> = {}): MeshCluster => ({name, role: 'primary', ...more});
const pair = {reader: cluster('c1'), peer: cluster('c2')};
const store: TokenStore = {kind: 'ClusterSecretStore', name: 'vault', prefix: 'mesh1'};
const address = {url: 'https://c2.example.com:6443', caData: 'LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0t'};

/** The parts of an ExternalSecret that these tests use. */
interface Spec {
  readonly target: {
    readonly name: string;
    readonly template: {
      readonly type: string;
      readonly metadata: {readonly labels: object; readonly annotations: object};
      readonly data: Readonly<Record<string, string>>;
    };
  };
  readonly data: readonly {readonly secretKey: string; readonly remoteRef: object}[];
}

const specOf = (...of: Parameters<typeof externalSecret>): Spec => externalSecret(...of).spec as Spec;

describe('an ExternalSecret for a pair', () => {
  it('results in the remote secret that link writes, once the token is in its slot', () => {
    const {target} = specOf(pair, 'istio-system', address, store);
    const own = remoteSecretObject(pair, 'istio-system', {issuedAt: new Date(0)});
    expect(target.name).toBe(own.metadata.name);
    expect(own.metadata.labels).toMatchObject(target.template.metadata.labels);
    expect(own.metadata.annotations).toMatchObject(target.template.metadata.annotations);
    expect(target.template.type).toBe(own.type);
    const [[key, text] = []] = Object.entries(target.template.data);
    expect(key).toBe('c2');
    expect(text).toContain('{{ .token | trim }}');
    const filled = readRemoteKubeconfig((text ?? '').replace('{{ .token | trim }}', 'a.b.c'));
    const written = readRemoteKubeconfig(writeRemoteKubeconfig('c2', address, 'a.b.c'));
    expect(filled?.address).toEqual(written?.address);
    expect(filled?.token?.reveal()).toBe('a.b.c');
    expect(filled?.rejected).toEqual([]);
  });

  it("takes the token from the pair's key, and the property of a store that needs one", () => {
    expect(specOf(pair, 'istio-system', address, store).data).toEqual([
      {secretKey: 'token', remoteRef: {key: 'mesh1-c1-reads-c2'}},
    ]);
    const [vault] = specOf(pair, 'istio-system', address, {...store, property: 'token'}).data;
    expect(vault?.remoteRef).toEqual({key: 'mesh1-c1-reads-c2', property: 'token'});
  });

  it('has a key of letters, digits and hyphens for every mesh ID', () => {
    expect(tokenKey(pair, {...store, prefix: 'Mesh_1.prod'})).toBe('Mesh-1-prod-c1-reads-c2');
  });

  it('has a key of its own for each pair, whatever the clusters are named', () => {
    const names = ['a', 'reads', 'b-reads-c', 'a-reads-b', 'c', 'reads-c', 'a-reads', 'a-reads-reads'];
    const keys = names.flatMap((reader) =>
      names.map((peer) => tokenKey({reader: cluster(reader), peer: cluster(peer)}, store)),
    );
    expect(new Set(keys).size).toBe(names.length ** 2);
    expect(keys.filter((key) => !/^[A-Za-z0-9-]+$/.test(key))).toEqual([]);
  });

  it("uses the name in mesh.yaml for objects if Istio's cannot name one", () => {
    const peer = cluster('c2', {istioName: 'Kubernetes'});
    const {target} = specOf({...pair, peer}, 'istio-system', address, store);
    expect(target.name).toBe('istio-remote-secret-c2');
    expect(Object.keys(target.template.data)).toEqual(['Kubernetes']);
  });

  it('leaves nothing but the slot to the template', () => {
    const odd = {url: 'https://c2.example.com/{{ env "X" }}', proxyUrl: 'http://{{proxy}}:3128'};
    const text = specOf(pair, 'istio-system', odd, store).target.template.data.c2 ?? '';
    const actions = [...text.matchAll(/\{\{(?!`\{\{`\}\})([^}]*)/g)].map(([, action]) => action?.trim());
    // What follows an escaped brace is text.
    expect(text.replaceAll('{{`{{`}}', '').match(/\{\{/g)).toHaveLength(1);
    expect(actions).toContain('.token | trim');
    expect(text).toContain('{{`{{`}}proxy}}');
  });

  it('contains only fields of the published schema, with its enumerations and patterns', () => {
    const {apiVersion, kind, spec} = externalSecret(pair, 'istio-system', address, {...store, property: 'token'});
    expect([apiVersion, kind]).toEqual(['external-secrets.io/v1', 'ExternalSecret']);
    expect(Object.keys(spec as object).sort()).toEqual(['data', 'refreshInterval', 'secretStoreRef', 'target']);
    const {secretStoreRef, target, data} = spec as Spec & {secretStoreRef: {kind: string; name: string}};
    expect(['SecretStore', 'ClusterSecretStore']).toContain(secretStoreRef.kind);
    expect(Object.keys(target).sort()).toEqual(['creationPolicy', 'name', 'template']);
    expect(Object.keys(target.template).sort()).toEqual(['data', 'metadata', 'type']);
    expect(Object.keys(target.template.metadata).sort()).toEqual(['annotations', 'labels']);
    for (const {secretKey, remoteRef} of data) {
      expect(secretKey).toMatch(/^[-._a-zA-Z0-9]+$/);
      expect(Object.keys(remoteRef).sort()).toEqual(['key', 'property']);
    }
  });
});
