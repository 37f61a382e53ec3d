/** Where an istiod reads its CA, from its Deployment. */
import {describe, expect, it} from 'vitest';
import {
  asMounted,
  caSecretOf,
  caSourceOf,
  type CaSource,
  isMentioned,
  type IstiodCaSource,
  readsCacerts,
} from '../../../src/domain/istio/ca-source.js';
import type {DeploymentObject} from '../../../src/domain/kube/objects.js';
import {caMounts, caVolumes, usualSource} from '../../helpers/ca-mount.js';

interface Pod {
  readonly env?: readonly {readonly name: string; readonly value?: string}[];
  readonly workingDir?: string;
  readonly mounts?: readonly object[];
  readonly volumes?: readonly object[];
}

function sourceOf({env, workingDir, mounts = caMounts.volumeMounts, volumes = caVolumes().volumes}: Pod): CaSource {
  const container = {name: 'discovery', volumeMounts: mounts, ...(env && {env}), ...(workingDir && {workingDir})};
  const spec = {selector: {}, template: {spec: {containers: [{name: 'other'}, container], volumes}}};
  const deployment = {apiVersion: 'apps/v1', kind: 'Deployment', metadata: {name: 'istiod'}, spec};
  return caSourceOf(deployment as unknown as DeploymentObject).source;
}

const inDirectory = (value: string) => ({env: [{name: 'ROOT_CA_DIR', value}]});
const at = (mountPath: string, more: object = {}) => ({mounts: [{name: 'cacerts', mountPath, ...more}]});
const items = [
  {key: 'tls.crt', path: 'ca/ca-cert.pem'},
  {key: 'tls.key', path: 'ca/ca-key.pem'},
];
const files = {'tls.crt': 'ca-cert.pem', 'tls.key': 'ca-key.pem'};

describe("istiod's CA is read from", () => {
  it.each<readonly [behaviour: string, pod: Pod, expected: CaSource]>([
    ['Secret cacerts, as in the chart', {}, usualSource],
    ['Secret cacerts where ROOT_CA_DIR is its directory', inDirectory('/etc/cacerts/'), usualSource],
    ['Secret cacerts where ROOT_CA_DIR is relative', inDirectory('etc/../etc/cacerts'), usualSource],
    ['a Secret of another name', caVolumes({secret: {secretName: 'mesh-ca'}}), {from: 'secret', name: 'mesh-ca'}],
    [
      'the only Secret of a projected volume',
      caVolumes({projected: {sources: [{secret: {name: 'mesh-ca'}}]}}),
      {from: 'secret', name: 'mesh-ca'},
    ],
    [
      'a Secret whose list of data keys is empty, which means all of them',
      caVolumes({secret: {secretName: 'mesh-ca', items: []}}),
      {from: 'secret', name: 'mesh-ca'},
    ],
    [
      'a Secret whose data keys have other file names',
      caVolumes({secret: {secretName: 'mesh-ca', items: [{key: 'tls.crt', path: 'ca-cert.pem'}]}}),
      {from: 'secret', name: 'mesh-ca', files: {'tls.crt': 'ca-cert.pem'}},
    ],
    [
      'a subdirectory of the volume (subPath)',
      {...caVolumes({secret: {secretName: 'mesh-ca', items}}), ...at('/etc/cacerts', {subPath: 'ca'})},
      {from: 'secret', name: 'mesh-ca', files},
    ],
    [
      'a subdirectory of the mounted volume',
      {...caVolumes({secret: {secretName: 'mesh-ca', items}}), ...at('/etc'), ...inDirectory('/etc/ca')},
      {from: 'secret', name: 'mesh-ca', files},
    ],
    [
      'a CSI volume',
      caVolumes({csi: {driver: 'secrets-store.csi.k8s.io'}}),
      {
        from: 'volume',
        what: 'a volume of CSI driver secrets-store.csi.k8s.io',
        driver: 'secrets-store.csi.k8s.io',
      },
    ],
    [
      'a CSI volume, with the object that configures it',
      caVolumes({csi: {driver: 'x', volumeAttributes: {secretProviderClass: 'mesh-ca', other: 'y'}}}),
      {from: 'volume', what: 'a volume of CSI driver x (SecretProviderClass mesh-ca)', driver: 'x'},
    ],
    [
      'several Secrets at once',
      caVolumes({projected: {sources: [{secret: {name: 'a'}}, {secret: {name: 'b'}}]}}),
      {from: 'volume', what: 'a projected volume'},
    ],
    ['an empty directory', caVolumes({}), {from: 'volume', what: 'volume cacerts, which is not a Secret'}],
    [
      'single files of a Secret',
      at('/etc/cacerts/ca-cert.pem', {subPath: 'ca-cert.pem'}),
      {from: 'volume', what: 'single files mounted in /etc/cacerts'},
    ],
    [
      'another directory than the one with the volume',
      inDirectory('/var/other-cacerts'),
      {from: 'nothing', directory: '/var/other-cacerts', cacertsAt: '/etc/cacerts'},
    ],
    [
      'a directory above the one with the volume, whose other mounts hold no CA',
      inDirectory('/etc'),
      {from: 'nothing', directory: '/etc', cacertsAt: '/etc/cacerts'},
    ],
    [
      'the root directory, by an empty variable',
      inDirectory(''),
      {from: 'nothing', directory: '/', cacertsAt: '/etc/cacerts'},
    ],
    [
      'a directory next to the one with the volume',
      inDirectory('/etc/cacerts-2'),
      {from: 'nothing', directory: '/etc/cacerts-2', cacertsAt: '/etc/cacerts'},
    ],
    [
      'a directory that does not exist in the volume',
      {...at('/etc'), ...inDirectory('/etc/cacerts')},
      {from: 'nothing', directory: '/etc/cacerts', cacertsAt: '/etc'},
    ],
    [
      'another directory than in the chart, because of the working directory',
      {workingDir: '/app'},
      {from: 'nothing', directory: '/app/etc/cacerts', cacertsAt: '/etc/cacerts'},
    ],
    ['no volume', {mounts: [], volumes: []}, {from: 'nothing', directory: '/etc/cacerts'}],
    ['a directory that another object names', {env: [{name: 'ROOT_CA_DIR'}]}, {from: 'unknown directory'}],
  ])('%s', (_behaviour, pod, expected) => {
    expect(sourceOf(pod)).toEqual(expected);
  });
});

const istiod = (source: CaSource): IstiodCaSource => ({istiod: 'istiod', source});
const other: CaSource = {from: 'secret', name: 'mesh-ca'};
const volume: CaSource = {from: 'volume', what: 'x', driver: 'csi.example.com'};

it.each<readonly [source: CaSource, expected: boolean]>([
  [usualSource, true],
  [{...usualSource, files: {'ca-cert.pem': 'ca-cert.pem'}}, true],
  [{...usualSource, files}, false],
  [other, false],
  [volume, false],
])('a push reaches an istiod that reads %j: %s', (source, expected) => {
  expect(readsCacerts(istiod(source))).toBe(expected);
});

it.each<readonly [behaviour: string, sources: readonly CaSource[], expected: string | undefined]>([
  ['cacerts where no istiod runs', [], 'cacerts'],
  ['cacerts where any istiod reads it', [other, usualSource], 'cacerts'],
  ['the Secret that istiod mounts', [volume, other], 'mesh-ca'],
  ['none where istiod reads a volume', [volume], undefined],
])('the Secret with the CA is %s', (_behaviour, sources, expected) => {
  expect(caSecretOf(sources.map(istiod))?.name).toBe(expected);
});

it('shows the data of a Secret under the names of its files, and nothing else', () => {
  const secret = {apiVersion: 'v1', kind: 'Secret', metadata: {name: 'x'}, data: {'tls.crt': 'YQ==', other: 'Yg=='}};
  expect(asMounted(secret, files).data).toEqual({'ca-cert.pem': 'YQ=='});
  expect(asMounted(secret, undefined).data).toEqual(secret.data);
});

it.each<readonly [source: CaSource, document: string, expected: boolean]>([
  [other, 'value: {secretName: mesh-ca}', true],
  [other, 'value: {secretName: mesh-ca-2}', false],
  [volume, 'driver: csi.example.com\n', true],
  [{from: 'nothing', directory: '/x'}, 'x', false],
])('%j is mentioned in "%s": %s', (source, document, expected) => {
  expect(isMentioned(source, document)).toBe(expected);
});
