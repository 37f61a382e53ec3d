import {readFile} from 'node:fs/promises';
import {join} from 'node:path';
import {afterEach, describe, expect, it} from 'vitest';
import Link from '../../src/commands/link.js';
import type {LinkResult} from '../../src/operations/discovery/report-link.js';
import {answerOf, runCommand} from '../helpers/run-command.js';
import {linkMesh, type LinkMesh} from '../helpers/link-mesh.js';

let mesh: LinkMesh;
afterEach(() => mesh.stop());

async function link(...argv: string[]): Promise<{code: number; result: LinkResult; stderr: string}> {
  const run = await runCommand(Link, [...argv, '-o', 'json'], mesh.env);
  return {code: run.code, result: answerOf(run) as LinkResult, stderr: run.stderr};
}

function outcomes({clusters}: LinkResult): readonly string[] {
  return clusters.map(({name, outcome}) => `${name} ${outcome}`);
}

describe('link', () => {
  it('lets each cluster read the others, and changes nothing when run again', async () => {
    mesh = await linkMesh(['c1', 'c2', 'c3']);
    const first = await link();
    console.log(JSON.stringify(first, null, 1));
    expect(first.code).toBe(0);
    expect(outcomes(first.result)).toEqual(['c1 done', 'c2 done', 'c3 done']);
    const again = await link();
    expect(again.code).toBe(0);
    expect(outcomes(again.result)).toEqual(['c1 unchanged', 'c2 unchanged', 'c3 unchanged']);
    console.log(await readFile(join(mesh.dir, 'journal.jsonl'), 'utf8'));
    console.log((await runCommand(Link, ['-o', 'wide'], mesh.env)).stdout);
  });
});
