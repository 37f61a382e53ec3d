import {describe, expect, it} from 'vitest';
import {isLayoutPath, isSetPath} from '../../../src/domain/mesh/layout.js';

describe('the paths of sets', () => {
  it.each([
    'mesh.yaml',
    'root-key.pem',
    'c1/ca-key.pem',
    'c1/request/ca.csr',
    'c1/install.edited-0123abcd.yaml',
    'c1/workloads/ns/sa.x/key.pem',
  ])('include %s', (path) => {
    expect(isSetPath(path)).toBe(true);
  });

  it.each([
    '',
    '.bashrc',
    '../mesh.yaml',
    '/mesh.yaml',
    './mesh.yaml',
    'MESH.YAML',
    'c1/../root-key.pem',
    'C1/ca-key.pem',
    'ﬁle/ca-key.pem',
    'c1//ca-key.pem',
    'c1/ca-key.pem/',
    'c1/.git/config',
    'c1/install.edited-0123abcd.yaml/x',
    'c1/workloads/../../key.pem',
    'c1/workloads/ns/../key.pem',
    'c1/workloads//sa/key.pem',
    `${'c'.repeat(64)}/ca-key.pem`,
    `c1/workloads/ns/${'s'.repeat(254)}/key.pem`,
    'journal.jsonl',
    '.journal-head.json',
    '.kubectl-mesh.lock',
    '.pending',
  ])('do not include %j', (path) => {
    expect(isSetPath(path)).toBe(false);
  });

  it('are not all paths of the layout', () => {
    expect(isLayoutPath('.journal-head.json')).toBe(true);
  });
});
