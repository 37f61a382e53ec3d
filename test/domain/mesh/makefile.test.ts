import {describe, expect, it} from 'vitest';
import {
  type DirectoryFiles,
  type FoundFile,
  type MakefileFacts,
  makefileVariant,
  isMakefileLayout,
  makefileCopies,
  makefileFaults,
  skippedDirectories,
} from '../../../src/domain/mesh/makefile.js';
import {hintTexts} from '../../helpers/suggestions.js';

const folder = (files: Readonly<Record<string, Partial<FoundFile>>>): DirectoryFiles =>
  new Map(
    Object.entries(files).map(([name, file]) => [
      name,
      {size: 100, mode: name.endsWith('key.pem') ? 0o600 : 0o644, ...file},
    ]),
  );
const root = {'root-key.pem': {}, 'root-cert.pem': {text: 'ROOT'}};
const today = {'ca-key.pem': {}, 'ca-cert.pem': {}, 'cert-chain.pem': {}, 'root-cert.pem': {text: 'ROOT'}};
const selfSigned = {
  'selfSigned-ca-key.pem': {},
  'selfSigned-ca-cert.pem': {text: 'CA'},
  'selfSigned-ca-cert-chain.pem': {},
  'root-cert.pem': {text: 'ROOT'},
  'intermediate.conf': {},
};

function facts(
  top: DirectoryFiles,
  clusters: Readonly<Record<string, DirectoryFiles>>,
  skipped: Readonly<Record<string, DirectoryFiles>> = {},
): MakefileFacts {
  return {root: top, clusters: new Map(Object.entries(clusters)), skipped: new Map(Object.entries(skipped))};
}

describe("a directory of Istio's Makefiles", () => {
  it('is recognized by the files that each Makefile creates', () => {
    expect(isMakefileLayout(facts(folder({...root, 'root-cert.srl': {}}), {a: folder(today)}))).toBe(true);
    expect(isMakefileLayout(facts(folder(root), {a: folder({...today, 'cluster-ca.csr': {}})}))).toBe(true);
    expect(isMakefileLayout(facts(folder(root), {a: folder(selfSigned)}))).toBe(true);
    expect(isMakefileLayout(facts(folder(root), {a: folder(today)}))).toBe(false);
  });

  it('distinguishes directories of clusters and virtual machines', () => {
    expect(makefileVariant(folder(today))).toBe('istiod');
    expect(makefileVariant(folder(selfSigned))).toBe('selfSigned');
    expect(makefileVariant(folder({'ca-cert.pem': {}, 'ca-key.pem': {}, 'workload-cert.pem': {}}))).toBeUndefined();
    expect(makefileVariant(folder({'selfSigned-ca-cert.pem': {}, 'selfSigned-workload-cert.pem': {}}))).toBeUndefined();
    expect(makefileVariant(folder({'k8s-root-cert.pem': {}}))).toBeUndefined();
  });

  it('of 1.6 or the current version needs no copy', () => {
    expect(makefileCopies(facts(folder(root), {a: folder(today)}))).toEqual([]);
    expect(makefileFaults(facts(folder(root), {a: folder(today)}))).toEqual([]);
  });

  it("of 1.7 is copied to istiod's names once", () => {
    const copies = makefileCopies(facts(folder(root), {a: folder(selfSigned)}));
    expect(copies.map(({from, to, secret}) => [from, to, secret])).toEqual([
      ['a/selfSigned-ca-key.pem', 'a/ca-key.pem', true],
      ['a/selfSigned-ca-cert.pem', 'a/ca-cert.pem', false],
      ['a/selfSigned-ca-cert-chain.pem', 'a/cert-chain.pem', false],
    ]);
    const copied = folder({...selfSigned, ...today, 'ca-cert.pem': {text: 'CA'}});
    expect(makefileCopies(facts(folder(root), {a: copied}))).toEqual([]);
    expect(makefileFaults(facts(folder(root), {a: copied}))).toEqual([]);
  });

  it('of the k8s variant has another name for its root', () => {
    const top = folder({'k8s-root-key.pem': {}, 'k8s-root-cert.pem': {text: 'ROOT'}});
    expect(makefileCopies(facts(top, {a: folder(today)})).map(({to}) => to)).toEqual(['root-key.pem', 'root-cert.pem']);
  });

  it.each([
    ['an empty root', {...root, 'k8s-root-cert.pem': {size: 0}}, {a: today}, /k8s-root-cert\.pem is empty/],
    ['an empty CA', root, {a: {...today, 'ca-cert.pem': {size: 0}}}, /a\/ca-cert\.pem is empty/],
    [
      'a readable root key',
      {...root, 'root-key.pem': {mode: 0o644}},
      {a: today},
      /root-key\.pem is readable by other users \(mode 0644\)/,
    ],
    ['a readable cluster key', root, {a: {...today, 'ca-key.pem': {mode: 0o640}}}, /a\/ca-key\.pem is readable/],
    ['no root key', {'root-cert.pem': {text: 'ROOT'}}, {a: today}, /root-key\.pem not found/],
    [
      'two roots after make clean',
      root,
      {a: today, b: {...today, 'root-cert.pem': {text: 'OTHER'}}},
      /root-cert\.pem and a\/root-cert\.pem \/ b\/root-cert\.pem/,
    ],
    [
      'an incomplete cluster',
      root,
      {a: {'ca-cert.pem': {}, 'ca-key.pem': {}}},
      /a\/ is incomplete: root-cert\.pem, cert-chain\.pem not found/,
    ],
    ['two CAs in one directory', root, {a: {...selfSigned, ...today, 'ca-cert.pem': {text: 'OTHER'}}}, /a has two CAs/],
  ] as [string, Record<string, Partial<FoundFile>>, Record<string, Record<string, Partial<FoundFile>>>, RegExp][])(
    'has exactly one fault for %s',
    (_what, top, clusters, message) => {
      const found = makefileFaults(
        facts(folder(top), Object.fromEntries(Object.entries(clusters).map(([name, files]) => [name, folder(files)]))),
      );
      expect(found.map(({message}) => message)).toEqual([expect.stringMatching(message)]);
      expect(found[0]?.hint).not.toBe('');
    },
  );
});

describe('a directory with a CA whose name is not valid', () => {
  const folders = (...names: readonly string[]) =>
    facts(folder(root), {}, Object.fromEntries(names.map((name) => [name, folder(today)])));
  /** The command of each warning. */
  const commandsOf = (names: readonly string[], taken: readonly string[] = []) =>
    hintTexts(skippedDirectories(folders(...names), [...names, ...taken]));

  it.each([
    ['Cluster1', 'cluster1'],
    ['prod_eu', 'prod-eu'],
    ['us.east', 'us-east'],
    ['team/a', 'team-a'],
  ])('is added under a similar name, and keeps its own for Istio: %s', (path, name) => {
    const [text] = commandsOf([path]);
    expect(text).toContain(`mv ${path} ${name} && kubectl mesh init ${name} --istio-name ${name}=${path}`);
  });

  it('gets a name that is not in use', () => {
    const [first, second] = commandsOf(['prod.eu', 'prod_eu'], ['prod-eu']);
    expect([first, second]).toEqual([
      expect.stringContaining('mv prod.eu prod-eu-2 &&'),
      expect.stringContaining('mv prod_eu prod-eu-3 &&'),
    ]);
  });

  it.each(['_', 'zwei Wörter'])('is reported without a command if there is none: %s', (path) => {
    const [text] = commandsOf([path]);
    expect(text).toContain(path);
    expect(text).not.toContain('mv ');
  });

  it('counts as a trace of a Makefile', () => {
    const traced = {x_y: folder({...today, 'cluster-ca.csr': {}})};
    expect(isMakefileLayout(facts(folder({}), {}, traced))).toBe(true);
  });
});
