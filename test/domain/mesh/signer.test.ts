import {describe, expect, it} from 'vitest';
import {declareMesh} from '../../../src/domain/mesh/declare.js';
import {parseMeshFile} from '../../../src/domain/mesh/parse.js';
import {resolveSigner, usesCacerts} from '../../../src/domain/mesh/signer.js';
import {parseSignerFlag} from '../../../src/domain/mesh/signer-schema.js';

describe('the signer of a mesh', () => {
  it('is the local root key where nobody says otherwise', () => {
    expect(resolveSigner(undefined, {})).toEqual({type: 'local'});
  });

  it.each([
    ['what mesh.yaml declares', {type: 'csr'} as const, {}, {type: 'csr'}],
    ['what the flag says', undefined, {signer: {type: 'csr'} as const}, {type: 'csr'}],
    [
      'both, where they agree',
      {type: 'vault', mount: 'a'} as const,
      {signer: {mount: 'a', type: 'vault'} as const},
      {
        type: 'vault',
        mount: 'a',
      },
    ],
    [
      'what mesh.yaml declares, where the flag says its type alone',
      {type: 'vault', mount: 'a'} as const,
      {signer: {type: 'vault'} as const},
      {type: 'vault', mount: 'a'},
    ],
    [
      'the directory of this run',
      {type: 'local', directory: '/a'} as const,
      {rootDirectory: '/b'},
      {
        type: 'local',
        directory: '/b',
      },
    ],
  ])('is %s', (_what, declared, said, spec) => {
    expect(resolveSigner(declared, said)).toEqual(spec);
  });

  it.each([
    ['another type', {type: 'csr'} as const, {signer: {type: 'local'} as const}],
    ['other fields', {type: 'vault', mount: 'a'} as const, {signer: {type: 'vault', mount: 'b'} as const}],
    ['a directory for a key that is no file', {type: 'csr'} as const, {rootDirectory: '/b'}],
  ])('is not contradicted by a flag that says %s', (_what, declared, said) => {
    expect(() => resolveSigner(declared, said)).toThrow(expect.objectContaining({code: 'CONTRADICTION'}) as Error);
  });

  it('names both declarations where they differ', () => {
    const [declared, signer] = [{type: 'vault', mount: 'pki_a'} as const, {type: 'vault', mount: 'pki_b'} as const];
    expect(() => resolveSigner(declared, {signer})).toThrow(/pki_b.*pki_a/);
  });

  it('needs cacerts unless workload certificates come from elsewhere', () => {
    expect(usesCacerts({type: 'vault'})).toBe(true);
    expect(usesCacerts({type: 'external', issuer: 'spire'})).toBe(false);
  });
});

describe('--signer', () => {
  it.each([
    ['csr', {type: 'csr'}],
    ['{type: vault, mount: pki_mesh}', {type: 'vault', mount: 'pki_mesh'}],
    ['{"type": "command", "argv": ["./sign", "--key", "a b"]}', {type: 'command', argv: ['./sign', '--key', 'a b']}],
  ])('reads %s', (said, spec) => {
    expect(parseSignerFlag(said)).toEqual(spec);
  });

  it.each(['', 'kms', 'command', '{type: csr, mount: x}', '{type: [', '- csr', '{type: command, argv: []}', '42'])(
    'refuses %j',
    (said) => {
      expect(() => parseSignerFlag(said)).toThrow(expect.objectContaining({code: 'USAGE'}) as Error);
    },
  );

  it('is recorded in mesh.yaml so that mesh.yaml says the same', () => {
    const said = parseSignerFlag('{type: command, argv: [./sign, "a: b"], certificate: policy.pem}');
    const before = 'apiVersion: kubectl-mesh/v1alpha1\nkind: Mesh # ours\nclusters: [{name: a}]\n';
    const {files} = declareMesh({mesh: before, contexts: undefined, gitignore: undefined}, {signer: said});
    const after = files.find(({path}) => path === 'mesh.yaml')?.content ?? '';
    expect(after).toContain('kind: Mesh # ours');
    expect(parseMeshFile(after).trust?.signer).toEqual(said);
  });
});
