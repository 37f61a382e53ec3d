import {mkdir, rm, symlink} from 'node:fs/promises';
import {join} from 'node:path';
import {describe, expect, it} from 'vitest';
import {meshBox, snapshot, type Box} from './harness/box.js';
import {rows} from './harness/commands.js';
import {expectExit, expectNoCrash, runChild} from './harness/run.js';

const head = 'apiVersion: kubectl-mesh/v1alpha1\nkind: Mesh\n';
const cluster = 'clusters:\n  - name: cluster1\n    context: ctx-cluster1\n';

/** Content of mesh.yaml, and where the first problem is, where there is a place. */
const garbage: readonly (readonly [what: string, content: string | Buffer, place: string])[] = [
  ['a number for a mesh ID', `${head}meshID: 12\n${cluster}`, '3:9'],
  ['a boolean for a network', `${head}${cluster}    network: yes\n    role: true\n`, '7:11'],
  ['an unknown field', `${head}meshId: mesh1\n${cluster}`, '3:1'],
  ['an unknown field of a cluster', `${head}${cluster}    contxt: x\n`, '6:5'],
  ['a field twice', `${head}meshID: a\nmeshID: b\n${cluster}`, '4:1'],
  ['a cluster twice', `${head}${cluster}  - name: cluster1\n    context: other\n`, '6:11'],
  ['a context twice', `${head}${cluster}  - name: cluster2\n    context: ctx-cluster1\n`, '7:14'],
  ['a hostile cluster name', `${head}clusters:\n  - name: ../x\n`, '4:11'],
  ['a tab for indentation', `${head}clusters:\n\t- name: cluster1\n`, '4:1'],
  ['nothing', '', '1:1'],
  ['only a comment', '# mesh\n', '1:1'],
  ['a list', '- a\n- b\n', '1:1'],
  ['a string', 'mesh\n', '1:1'],
  ['null', 'null\n', '1:1'],
  ['an unclosed quote', `${head}meshID: "mesh1\n${cluster}`, ''],
  ['an unknown anchor', `${head}meshID: *nobody\n`, '3:9'],
  ['two documents', `${head}${cluster}---\n${head}${cluster}`, '6:1'],
  ['another kind', head.replace('Mesh', 'IstioOperator') + cluster, '2:7'],
  ['a version of the future', head.replace('v1alpha1', 'v9') + cluster, '1:13'],
  ['random bytes', Buffer.from(Array.from({length: 4096}, (_, at) => (at * 7919 + (at >> 3) * 31) % 256)), ''],
  ['NUL bytes', Buffer.alloc(1000), ''],
  ['UTF-16', Buffer.from(`\ufeff${head}${cluster}`, 'utf16le'), ''],
  ['10 MB', `${head}${cluster}${'# padding that says nothing at all\n'.repeat(300_000)}`, '1:1'],
  ['a thousand open brackets', '['.repeat(1000), ''],
  ['a hundred thousand open brackets', '['.repeat(100_000), ''],
  ['aliases that explode', aliasBomb(), ''],
  ['an alias of itself', `${head}clusters: &a [*a]\n`, ''],
  ['a key that is a prototype', `${head}__proto__: {polluted: true}\n${cluster}`, '3:1'],
  ['a thousand problems', `${head}${Array.from({length: 1000}, (_, at) => `x${String(at)}: 1`).join('\n')}\n`, '3:1'],
];

function aliasBomb(): string {
  const lines = ['a0: &a0 [x, x, x, x, x, x, x, x, x]'];
  for (let at = 1; at < 9; at++) {
    lines.push(
      `a${String(at)}: &a${String(at)} [${Array(9)
        .fill(`*a${String(at - 1)}`)
        .join(', ')}]`,
    );
  }
  return `${lines.join('\n')}\n`;
}

describe('mesh.yaml with', () => {
  it.each(garbage)('%s is invalid input, with its place', async (what, content, place) => {
    const box = await meshBox();
    await box.put('mesh.yaml', content, 0o644);
    const before = await snapshot(box.dir);
    for (const words of [
      ['certs', 'generate'],
      ['verify', '--offline'],
    ]) {
      const run = await box.run(words, {limitMs: 20_000});
      expectExit(run, 2, `${what}: ${words.join(' ')}`);
      if (place !== '') expect(run.stdout + run.stderr).toContain(`mesh.yaml:${place}:`);
      // Users have to read it: at most the height of a terminal.
      expect(run.stderr.split('\n').length, what).toBeLessThan(60);
    }
    expect(await snapshot(box.dir)).toEqual(before);
    await box.dispose();
  });

  it.each([
    ['CRLF', (text: string) => text.replaceAll('\n', '\r\n')],
    ['a byte order mark', (text: string) => `\ufeff${text}`],
    ['no newline at the end', (text: string) => text.trimEnd()],
    ['comments everywhere', (text: string) => `# a\n${text.replaceAll('\n', ' # b\n')}# c\n`],
  ])('%s is a mesh like any other, and stays as it is', async (_what, change) => {
    const box = await meshBox();
    const text = change(await box.read('mesh.yaml'));
    await box.put('mesh.yaml', text, 0o644);
    expectExit(await box.run(['certs', 'generate']), 0, 'generate');
    expect(await box.read('mesh.yaml')).toBe(text);
    expectExit(await box.run(['init', 'cluster9=ctx-cluster9']), 0, 'init');
    expect(await box.read('mesh.yaml')).toContain('cluster9');
    expectExit(await box.run(['certs', 'list']), 0, 'list');
    await box.dispose();
  });
});

describe('contexts.yaml with', () => {
  it.each<readonly [what: string, content: string | Buffer, place: string]>([
    ['a list', '- a\n', '1:1'],
    ['a number for a context', 'cluster1: 12\n', '1:11'],
    ['a cluster twice', 'cluster1: a\ncluster1: b\n', '2:1'],
    ['a tab', '\tcluster1: a\n', ''],
    ['a hostile name', '../x: a\n', '1:1'],
    ['an empty context', 'cluster1: ""\n', '1:11'],
    ['one context for two clusters', 'cluster1: a\ncluster2: a\n', '2:11'],
    ['NUL bytes', Buffer.alloc(100), ''],
    ['10 MB', 'cluster1: a\n'.repeat(900_000), '1:1'],
    ['aliases that explode', aliasBomb(), ''],
  ])('%s is invalid input, with its place', async (what, content, place) => {
    const box = await meshBox();
    await box.put('contexts.yaml', content, 0o644);
    for (const words of [
      ['certs', 'generate'],
      ['trust', 'push'],
      ['verify', '--offline'],
    ]) {
      const run = await box.run(words, {limitMs: 20_000});
      expectExit(run, 2, `${what}: ${words.join(' ')}`);
      if (place !== '') expect(run.stdout + run.stderr).toContain(`contexts.yaml:${place}:`);
    }
    await box.dispose();
  });
});

describe('in place of a declaration', () => {
  const spoils: readonly (readonly [string, (box: Box, file: string) => Promise<unknown>])[] = [
    ['a directory', (box, file) => mkdir(join(box.work, file))],
    ['a pipe', (box, file) => runChild('mkfifo', [join(box.work, file)], {cwd: box.work, env: box.env})],
    ['a link to /dev/zero', (box, file) => symlink('/dev/zero', join(box.work, file))],
    ['a link to itself', (box, file) => symlink(file, join(box.work, file))],
  ];
  it.each(spoils)('%s is invalid input and stops nobody for good', async (what, spoil) => {
    for (const file of ['mesh.yaml', 'contexts.yaml', '.gitignore']) {
      const box = await meshBox();
      await rm(join(box.work, file), {force: true});
      await spoil(box, file);
      for (const words of [
        ['init', 'cluster9=x'],
        ['certs', 'generate'],
        ['verify', '--offline'],
      ]) {
        const run = await box.run(words, {limitMs: 20_000});
        expectNoCrash(run, `${what} as ${file}: ${words.join(' ')}`);
        if (file !== '.gitignore') expect([2, 4, 5], run.stderr).toContain(run.code);
      }
      await box.dispose();
    }
  });
});

it.each(rows(({declared}) => declared))('%s reads mesh.yaml before it does anything', async (_name, row) => {
  const box = await meshBox();
  await box.put('mesh.yaml', `${head}meshId: mesh1\n${cluster}`, 0o644);
  const before = await snapshot(box.dir);
  const run = await box.run(row.words('cluster1'));
  expectExit(run, 2, 'unknown field');
  expect(run.stdout + run.stderr).toContain('mesh.yaml:3:1:');
  expect(await snapshot(box.dir)).toEqual(before);
  await box.dispose();
});
