import {readFile} from 'node:fs/promises';
import {join} from 'node:path';
import {afterEach, describe, expect, it} from 'vitest';
import type {LinkResult} from '../../src/operations/discovery/report-link.js';
import type {UnlinkResult} from '../../src/operations/discovery/unlink.js';
import {linkMesh, type LinkMesh} from '../helpers/link-mesh.js';
import {emptyBox, type Box} from './harness/box.js';
import {endGroup} from './harness/interrupt.js';
import {expectExit} from './harness/run.js';
import {journalFaults} from './harness/work-dir-rules.js';

let mesh: LinkMesh;
let box: Box;
afterEach(async () => {
  await mesh.stop();
  await box.dispose();
});

const remote = 'istio-system/istio-remote-secret-c2';

async function start(): Promise<void> {
  mesh = await linkMesh(['c1', 'c2', 'c3']);
  box = await emptyBox([mesh.kube.bin]);
}

/** Runs a command that is killed as soon as `when` holds. */
async function killed(words: readonly string[], when: () => boolean): Promise<void> {
  let pid: number | undefined;
  const timer = setInterval(() => {
    if (pid !== undefined && when()) process.kill(pid, 'SIGKILL');
  }, 20);
  const run = await box.run([...words, '-w', mesh.dir], {
    onStart: (child) => {
      pid = child.pid;
      child.once('exit', () => {
        clearInterval(timer);
      });
    },
    stdio: 'ignore',
  });
  expect(run.signal).toBe('SIGKILL');
  endGroup(pid);
  expect(await journalFaults(mesh.dir)).toEqual([]);
}

async function finished<Result>(...words: readonly string[]): Promise<Result> {
  const run = await box.run([...words, '-w', mesh.dir, '-o', 'json']);
  expectExit(run, 0, words.join(' '));
  return JSON.parse(run.stdout) as Result;
}

/** The outcomes of a cluster's last action of this name in the journal. */
async function lastStatus(action: string): Promise<unknown> {
  const lines = (await readFile(join(mesh.dir, 'journal.jsonl'), 'utf8')).trim().split('\n');
  const entries = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  return entries.filter((entry) => entry.action === action && entry.kind === 'outcome').at(-1)?.status;
}

describe('link, killed after it wrote a remote secret and before istiod has read the peer', () => {
  it('is proven and completed by the next run, with the same token', async () => {
    await start();
    const {status} = mesh.istiod('c1');
    status.c2 = 'syncing';
    const reader = mesh.cluster('c1');
    const names = [remote, remote.replace(/c2$/, 'c3')];
    await killed(['link'], () => names.every((name) => reader.get('Secret', name) !== undefined));
    const written = reader.get('Secret', remote)?.data;
    setTimeout(() => delete status.c2, 1500);
    const {clusters} = await finished<LinkResult>('link');
    const peers = clusters.find(({name}) => name === 'c1')?.peers ?? [];
    expect(peers.find(({peer}) => peer === 'c2')).toMatchObject({plan: 'unchanged', outcome: 'unchanged'});
    expect(reader.get('Secret', remote)?.data).toEqual(written);
    // The other readers had not been started.
    expect(clusters.slice(1).map(({name, outcome}) => `${name} ${outcome}`)).toEqual(['c2 done', 'c3 done']);
    expect(await lastStatus('c1/link')).not.toBe('done');
    const again = await finished<LinkResult>('link');
    expect(again.clusters.map(({outcome}) => outcome)).toEqual(['unchanged', 'unchanged', 'unchanged']);
  });

  it('fails in the next run if istiod still cannot read the peer', async () => {
    await start();
    mesh.istiod('c1').status.c2 = 'timeout';
    const reader = mesh.cluster('c1');
    await killed(['link', 'c1'], () => reader.get('Secret', remote) !== undefined);
    const run = await box.run(['link', 'c1', '-w', mesh.dir, '-o', 'json']);
    expectExit(run, 1, 'link');
    expect(run.stdout).toContain('NOT_SYNCED');
  });
});

describe('unlink, killed after it deleted the first remote secret', () => {
  it('is completed by the next run', async () => {
    await start();
    await finished('link');
    const reader = mesh.cluster('c1');
    await killed(['unlink', 'c2', '--yes'], () => reader.get('Secret', remote) === undefined);
    const {clusters} = await finished<UnlinkResult>('unlink', 'c2', '--yes');
    expect(clusters.map(({name}) => name).sort()).toEqual(['c1', 'c2', 'c3']);
    const names = ['c1', 'c2', 'c3'].flatMap((name) =>
      mesh
        .cluster(name)
        .all('Secret')
        .map(({metadata}) => `${name} ${metadata.name}`),
    );
    expect(names.sort()).toEqual([
      'c1 istio-remote-secret-c3',
      'c1 kubectl-mesh-reader-c3',
      'c3 istio-remote-secret-c1',
      'c3 kubectl-mesh-reader-c1',
    ]);
  });
});
