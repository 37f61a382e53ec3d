import {describe, expect, it} from 'vitest';
import {MeshError} from '../../../src/domain/errors.js';
import {type FileProblem, checkMeshFile, parseContextsFile, parseMeshFile} from '../../../src/domain/mesh/parse.js';

const head = 'apiVersion: kubectl-mesh/v1alpha1\nkind: Mesh\n';

function problems(text: string): readonly FileProblem[] {
  const reading = checkMeshFile(text);
  return 'problems' in reading ? reading.problems : [];
}

const everything = `apiVersion: kubectl-mesh/v1alpha1
kind: Mesh
meshID: mesh1
trustDomain: cluster.local
istio:
  version: "1.30"            # or 1.30.3
  namespace: istio-system
  profile: default
  hub: docker.io/istio
  tag: "1.30"
  revisions: [default, canary]
  values: {pilot: {resources: {requests: {cpu: 100m}}}}
  overlays: [overlays/all.yaml]
trust:
  keyAlgorithm: rsa-4096
  rootValidity: 3650d
  clusterValidity: 730d
  signer: {type: local}
  keepClusterKeys: true
  rotationReady: true
  expiry: {warn: [30%, 30d, 180d], error: [10%, 7d, 60d]}
clusters:
  - name: cluster1
    context: kind-cluster1
    network: network1
    role: primary
    uid: 8f3f3ad4-4e0e-4c36-a0a1-6b8a4d6f4a52
  - name: cluster2
    context: arn:aws:eks:eu-west-1:123456789012:cluster/two
    network: network1
    role: remote
    primary: cluster1
    values: {global: {proxy: {logLevel: debug}}}
    overlays: [cluster2.yaml]
`;

describe('mesh.yaml', () => {
  it('is parsed with every field', () => {
    const file = parseMeshFile(everything);
    expect(file.istio?.version).toBe('1.30');
    expect(file.trust?.expiry?.warn).toEqual(['30%', '30d', '180d']);
    expect(file.clusters?.[1]).toMatchObject({role: 'remote', primary: 'cluster1', overlays: ['cluster2.yaml']});
  });

  it('may be partial', () => {
    expect(parseMeshFile(head)).toEqual({apiVersion: 'kubectl-mesh/v1alpha1', kind: 'Mesh'});
    expect(parseMeshFile(`${head}clusters: []\n`).clusters).toEqual([]);
  });

  it('may have CRLF line endings and a byte order mark', () => {
    expect(parseMeshFile(`\ufeff${everything.replaceAll('\n', '\r\n')}`)).toEqual(parseMeshFile(everything));
  });

  // [what, text after the two head lines, line, column, field, part of the message]
  const table: readonly [string, string, number, number, string, RegExp][] = [
    ['a number for a version', 'istio:\n  version: 1.30\n', 4, 12, 'istio.version', /1\.30 is a number, write "1\.30"/],
    ['a number for a mesh ID', 'meshID: 007\n', 3, 9, 'meshID', /007 is a number, write "007"/],
    ['a hexadecimal number', 'meshID: 0x1F\n', 3, 9, 'meshID', /0x1F is a number, write "0x1F"/],
    ['an exponent', 'clusters:\n  - name: 1e3\n', 4, 11, 'clusters[0].name', /1e3 is a number/],
    [
      'a boolean for a name',
      'clusters:\n  - name: true\n',
      4,
      11,
      'clusters[0].name',
      /true is a boolean, write "true"/,
    ],
    [
      'a quoted boolean',
      'trust:\n  keepClusterKeys: "no"\n',
      4,
      20,
      'trust.keepClusterKeys',
      /true or false, without quotes/,
    ],
    ['an empty field', 'meshID:\n', 3, 8, 'meshID', /it is empty/],
    ['a list for a string', 'meshID: [a]\n', 3, 9, 'meshID', /got a list/],
    ['a map for a list', 'clusters: {name: a}\n', 3, 11, 'clusters', /must be a list of clusters; got a map/],
    [
      'an unknown field',
      'meshId: a\n',
      3,
      1,
      'meshId',
      /did you mean meshID\?.*allowed here: apiVersion, kind, meshID/,
    ],
    ['an unknown field without a similar one', 'zebra: a\n', 3, 1, 'zebra', /is an unknown field \(allowed here/],
    [
      'an unknown nested field',
      'clusters:\n  - name: a\n    netwrok: b\n',
      5,
      5,
      'clusters[0].netwrok',
      /did you mean network\?/,
    ],
    ['a duplicate field', 'meshID: a\nmeshID: b\n', 4, 1, 'meshID', /is set more than once/],
    ['a tab', 'istio:\n\tversion: "1.30"\n', 4, 1, '', /tabs are not allowed/],
    [
      'a missing name',
      'clusters:\n  - context: a\n',
      4,
      5,
      'clusters[0].name',
      /is missing: it must be a DNS-1123 label/,
    ],
    ['a string for a cluster', 'clusters:\n  - a\n', 4, 5, 'clusters[0]', /must be a map with at least "name"/],
    ['an upper case name', 'clusters:\n  - name: Cluster1\n', 4, 11, 'clusters[0].name', /got "Cluster1"/],
    ['a name that leaves the directory', 'clusters:\n  - name: ../x\n', 4, 11, 'clusters[0].name', /got "\.\.\/x"/],
    ['a name that is a flag', 'clusters:\n  - name: -f\n', 4, 11, 'clusters[0].name', /got "-f"/],
    ['a name of 64 characters', `clusters:\n  - name: ${'a'.repeat(64)}\n`, 4, 11, 'clusters[0].name', /1 to 63/],
    [
      'an unknown role',
      'clusters:\n  - name: a\n    role: boss\n',
      5,
      11,
      'clusters[0].role',
      /one of primary, remote/,
    ],
    [
      'an unknown key algorithm',
      'trust: {keyAlgorithm: rsa-1024}\n',
      3,
      23,
      'trust.keyAlgorithm',
      /rsa-2048, rsa-3072/,
    ],
    [
      'a validity without a unit',
      'trust:\n  rootValidity: 3650\n',
      4,
      17,
      'trust.rootValidity',
      /730d; 3650 is a number/,
    ],
    ['a validity of zero days', 'trust:\n  rootValidity: 0d\n', 4, 17, 'trust.rootValidity', /number of days/],
    ['a validity that is too long', 'trust:\n  rootValidity: 99999d\n', 4, 17, 'trust.rootValidity', /at most 36500d/],
    [
      'a threshold of four values',
      'trust: {expiry: {warn: [30%, 30d, 180d, 9d]}}\n',
      3,
      24,
      'trust.expiry.warn',
      /\[30%/,
    ],
    ['an incomplete threshold', 'trust: {expiry: {warn: [30%]}}\n', 3, 24, 'trust.expiry.warn', /\[30%, 30d, 180d\]/],
    [
      'a signer of a later version',
      'trust: {signer: {type: kms, mount: pki}}\n',
      3,
      24,
      'trust.signer.type',
      /type: local, csr, .*got "kms"/,
    ],
    [
      'a field of another type of signer',
      'trust: {signer: {type: vault, argv: [./sign]}}\n',
      3,
      31,
      'trust.signer.argv',
      /allowed here: type, address, mount/,
    ],
    [
      'a mistyped field of an authentication method',
      'trust: {signer: {type: vault, auth: {method: approle, roleID: mesh}}}\n',
      3,
      55,
      'trust.signer.auth.roleID',
      /did you mean roleId/,
    ],
    [
      'a mistyped field of an external signer',
      'trust: {signer: {type: external, issuer: istio-csr, caAdress: x:1}}\n',
      3,
      53,
      'trust.signer.caAdress',
      /did you mean caAddress\? \(allowed here: type, issuer, caAddress\)/,
    ],
    [
      'an overlay outside the work directory',
      'istio: {overlays: [../all.yaml]}\n',
      3,
      20,
      'istio.overlays[0]',
      /without "\.\."/,
    ],
    [
      'a network with a space',
      'clusters:\n  - name: a\n    network: a b\n',
      5,
      14,
      'clusters[0].network',
      /label value/,
    ],
    ['a duplicate name', 'clusters:\n  - name: a\n  - name: a\n', 5, 11, 'clusters[1].name', /is not unique/],
    [
      'an istioName with a space',
      'clusters:\n  - name: a\n    istioName: a b\n',
      5,
      16,
      'clusters[0].istioName',
      /printable ASCII/,
    ],
    [
      'an istioName of two clusters',
      'clusters:\n  - {name: a, istioName: X}\n  - {name: b, istioName: X}\n',
      4,
      26,
      'clusters[0].istioName',
      /Istio's name of cluster b/,
    ],
    [
      'an istioName that is the name of another cluster',
      'clusters:\n  - {name: a, istioName: b}\n  - {name: b, istioName: c}\n',
      4,
      26,
      'clusters[0].istioName',
      /the name of cluster b/,
    ],
    [
      'a duplicate context',
      'clusters:\n  - {name: a, context: x}\n  - {name: b, context: x}\n',
      5,
      24,
      'clusters[1].context',
      /the context of cluster a/,
    ],
    [
      'a duplicate UID',
      'clusters:\n  - {name: a, uid: x}\n  - {name: b, uid: x}\n',
      5,
      20,
      'clusters[1].uid',
      /clusters have one name/,
    ],
    [
      'a remote without a primary',
      'clusters:\n  - {name: a, role: remote}\n',
      4,
      5,
      'clusters[0].primary',
      /is required for a remote/,
    ],
    [
      'a primary with a primary',
      'clusters:\n  - {name: a, primary: b}\n  - {name: b}\n',
      4,
      24,
      'clusters[0].primary',
      /is allowed for remotes only/,
    ],
    [
      'a remote of an undeclared cluster',
      'clusters:\n  - {name: a, role: remote, primary: c}\n',
      4,
      38,
      'clusters[0].primary',
      /which is not declared/,
    ],
    [
      'a remote of a remote',
      'clusters:\n  - {name: a, role: remote, primary: b}\n  - {name: b, role: remote, primary: a}\n',
      4,
      38,
      'clusters[0].primary',
      /which is a remote/,
    ],
    [
      'a cluster CA that outlives the root',
      'trust: {rootValidity: 10d, clusterValidity: 11d}\n',
      3,
      45,
      'trust.clusterValidity',
      /not exceed rootValidity \(10d\)/,
    ],
    [
      'an error threshold above the warning threshold',
      'trust: {expiry: {warn: [10%, 7d], error: [30%, 7d]}}\n',
      3,
      42,
      'trust.expiry.error',
      /must not exceed warn/,
    ],
    [
      'an error threshold without a limit above a limited warning threshold',
      'trust: {expiry: {warn: [30%, 30d, 180d], error: [10%, 7d]}}\n',
      3,
      49,
      'trust.expiry.error',
      /must not exceed warn/,
    ],
    [
      'a limit of the share below the number of days',
      'trust: {expiry: {warn: [30%, 30d, 20d]}}\n',
      3,
      24,
      'trust.expiry.warn',
      /third value/,
    ],
    ['a second document', '---\na: 1\n', 3, 1, '', /only one document is allowed/],
    ['an unterminated string', 'meshID: "a\n', 4, 1, '', /invalid YAML/],
    ['an unknown tag', 'meshID: !foo a\n', 3, 9, '', /invalid YAML/],
  ];
  it.each(table)('reports the position and the cause of %s', (_what, text, line, column, field, message) => {
    const [first] = problems(head + text);
    expect(first).toMatchObject({
      file: 'mesh.yaml',
      line,
      column,
      field,
      message: expect.stringMatching(message) as string,
    });
  });

  it.each([
    ['nothing', ''],
    ['a comment', '# later\n'],
    ['a word', 'hello'],
    ['a list', '- a\n'],
    ['bytes', '\u0000\u0001\u0002'],
  ])('refuses a file that is %s', (_what, text) => {
    expect(problems(text).length).toBeGreaterThan(0);
  });

  it('reports all problems in the order of lines', () => {
    const found = problems(`${head}meshId: a\nistio: {version: 1.30}\nclusters:\n  - name: A\n  - network: b\n`);
    expect(found.map(({line, field}) => `${String(line)} ${field}`)).toEqual([
      '3 meshId',
      '4 istio.version',
      '6 clusters[0].name',
      '7 clusters[1].name',
    ]);
  });

  it('throws all problems as one error', () => {
    expect(() => parseMeshFile('kind: Mush\n')).toThrow(MeshError);
    try {
      parseMeshFile('kind: Mush\n');
    } catch (error) {
      expect(error).toMatchObject({
        code: 'MESH_YAML_INVALID',
        message: expect.stringContaining('mesh.yaml:1:7: kind') as string,
      });
    }
  });

  it('rejects exponentially expanding aliases', () => {
    const bomb = ['a: &a [x, x, x, x, x, x, x, x, x]'];
    for (let level = 1; level < 9; level++) {
      const [previous, next] = ['abcdefghi'[level - 1]!, 'abcdefghi'[level]!];
      bomb.push(`${next}: &${next} [${`*${previous}, `.repeat(8)}*${previous}]`);
    }
    expect(problems(bomb.join('\n'))).toHaveLength(1);
  });

  it('removes terminal escape sequences from messages', () => {
    const [first] = problems(`${head}meshID: "a\\e[31mb"\n`);

    expect(first?.message).not.toMatch(/\u001b/);
  });
});

describe('contexts.yaml', () => {
  it('maps clusters to contexts', () => {
    expect(parseContextsFile('# mine\ncluster1: kind-1\n')).toEqual({cluster1: 'kind-1'});
    expect(parseContextsFile('# nothing yet\n\n')).toEqual({});
  });

  it.each([
    ['a bad cluster name', 'Cluster1: x\n', /contexts\.yaml:1:1: Cluster1 must be a DNS-1123 label/],
    ['a number', 'a: 12\n', /contexts\.yaml:1:4: a .*12 is a number/],
    ['a list', '- a\n', /contexts\.yaml:1:1: must be a map/],
    ['one context for two clusters', 'a: x\nb: x\n', /contexts\.yaml:2:4: b x is already the context of cluster a/],
  ])('refuses %s', (_what, text, message) => {
    expect(() => parseContextsFile(text)).toThrow(message);
  });
});

it('names UTF-16, whose zero bytes no editor shows, and does not quote it', () => {
  const [problem, ...others] = problems(Buffer.from(`\ufeff${everything}`, 'utf16le').toString('utf8'));
  expect(others).toEqual([]);
  expect(problem).toMatchObject({line: 1, field: '', message: expect.stringMatching(/^the file is UTF-16/) as string});
});
