import {describe, expect, it} from 'vitest';
import {declareMesh} from '../../../src/domain/mesh/declare.js';
import {parseMeshFile} from '../../../src/domain/mesh/parse.js';
import {resolveSigner, usesCacerts} from '../../../src/domain/mesh/signer.js';
import {parseSignerFlag} from '../../../src/domain/mesh/signer-schema.js';

describe('the signer of a mesh', () => {
  it('is the local root key by default', () => {
    expect(resolveSigner(undefined, {})).toEqual({type: 'local'});
  });

  it.each([
    ['the one in mesh.yaml', {type: 'csr'} as const, {}, {type: 'csr'}],
    ['the one of the flag', undefined, {signer: {type: 'csr'} as const}, {type: 'csr'}],
    [
      'both if they are equal',
      {type: 'vault', mount: 'a'} as const,
      {signer: {mount: 'a', type: 'vault'} as const},
      {
        type: 'vault',
        mount: 'a',
      },
    ],
    [
      'the one in mesh.yaml if the flag has only its type',
      {type: 'vault', mount: 'a'} as const,
      {signer: {type: 'vault'} as const},
      {type: 'vault', mount: 'a'},
    ],
    [
      'that with the directory of the flag',
      {type: 'local', directory: '/a'} as const,
      {rootDirectory: '/b'},
      {
        type: 'local',
        directory: '/b',
      },
    ],
  ])('is %s', (_what, declared, override, spec) => {
    expect(resolveSigner(declared, override)).toEqual(spec);
  });

  it.each([
    ['another type', {type: 'csr'} as const, {signer: {type: 'local'} as const}],
    ['other fields', {type: 'vault', mount: 'a'} as const, {signer: {type: 'vault', mount: 'b'} as const}],
    ['a directory for a key that is not in a file', {type: 'csr'} as const, {rootDirectory: '/b'}],
  ])('must not be contradicted by a flag with %s', (_what, declared, override) => {
    expect(() => resolveSigner(declared, override)).toThrow(expect.objectContaining({code: 'CONTRADICTION'}) as Error);
  });

  it('is reported with both declarations if they differ', () => {
    const [declared, signer] = [{type: 'vault', mount: 'pki_a'} as const, {type: 'vault', mount: 'pki_b'} as const];
    expect(() => resolveSigner(declared, {signer})).toThrow(/pki_b.*pki_a/);
  });

  it('uses cacerts unless an external CA issues workload certificates', () => {
    expect(usesCacerts({type: 'vault'})).toBe(true);
    expect(usesCacerts({type: 'external', issuer: 'spire'})).toBe(false);
  });
});

describe('--signer', () => {
  it.each([
    ['csr', {type: 'csr'}],
    ['{type: vault, mount: pki_mesh}', {type: 'vault', mount: 'pki_mesh'}],
    ['{"type": "command", "argv": ["./sign", "--key", "a b"]}', {type: 'command', argv: ['./sign', '--key', 'a b']}],
  ])('parses %s', (text, spec) => {
    expect(parseSignerFlag(text)).toEqual(spec);
  });

  it.each([
    '',
    'kms',
    'command',
    '{type: csr, mount: x}',
    '{type: [',
    '- csr',
    '{type: command, argv: []}',
    '42',
    '*missing',
  ])('refuses %j', (text) => {
    expect(() => parseSignerFlag(text)).toThrow(expect.objectContaining({code: 'USAGE'}) as Error);
  });

  it('is recorded in mesh.yaml', () => {
    const signer = parseSignerFlag('{type: command, argv: [./sign, "a: b"], certificate: policy.pem}');
    const before = 'apiVersion: kubectl-mesh/v1alpha1\nkind: Mesh # ours\nclusters: [{name: a}]\n';
    const {files} = declareMesh({mesh: before, contexts: undefined, gitignore: undefined}, {signer});
    const after = files.find(({path}) => path === 'mesh.yaml')?.content ?? '';
    expect(after).toContain('kind: Mesh # ours');
    expect(parseMeshFile(after).trust?.signer).toEqual(signer);
  });
});
