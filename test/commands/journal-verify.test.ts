import {execFileSync} from 'node:child_process';
import {copyFile, mkdir, mkdtemp, readFile, readdir, rm, symlink, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import JournalVerify from '../../src/commands/journal/verify.js';
import TrustPush from '../../src/commands/trust/push.js';
import TrustRollback from '../../src/commands/trust/rollback.js';
import Verify from '../../src/commands/verify.js';
import {caFileNames} from '../../src/domain/ca/ca-files.js';
import type {VerifyJournalResult} from '../../src/operations/journal/verify.js';
import type {PushResult} from '../../src/operations/trust/report-changes.js';
import type {VerifyResult} from '../../src/operations/verify/verify.js';
import {answerOf, runCommand} from '../helpers/run-command.js';
import {rewriteJournal} from '../helpers/rewrite-journal.js';
import {tinyRoot} from '../helpers/tiny-ca.js';
import {textsOf, trustMesh, type TrustMesh} from '../helpers/trust-mesh.js';
import type {AsJson} from '../helpers/suggestions.js';

let mesh: TrustMesh;

beforeEach(async () => {
  mesh = await trustMesh(['c1', 'c2']);
  // One after the other, so that each test knows the order of the entries.
  for (const name of ['c1', 'c2']) expect((await runCommand(TrustPush, [name], mesh.env)).code).toBe(0);
});
afterEach(() => mesh.stop());

interface Verification {
  readonly code: number;
  readonly result: VerifyJournalResult;
}

async function verified(...argv: string[]): Promise<Verification> {
  const run = await runCommand(JournalVerify, [...argv, '-o', 'json'], mesh.env);
  return {code: run.code, result: answerOf(run) as VerifyJournalResult};
}

const results = ({result}: Verification): string[] =>
  result.clusters.flatMap(({name, heads}) => heads.map((head) => `${name} ${head.result}`));

async function check116(): Promise<readonly string[]> {
  const run = await runCommand(Verify, ['--only', 'MESH116', '-o', 'json'], mesh.env);
  return (answerOf(run) as AsJson<VerifyResult>).checks.map(({cluster, result}) => `${cluster ?? ''} ${result}`);
}

const twice = <T>(one: T): readonly T[] => [one, one];
const journal = (): string => join(mesh.dir, 'journal.jsonl');
const memory = (): string => join(mesh.dir, '.journal-head.json');
const lines = async (): Promise<string[]> => (await readFile(journal(), 'utf8')).split('\n').slice(0, -1);
const writeLines = (all: readonly string[]): Promise<void> =>
  writeFile(journal(), all.map((line) => `${line}\n`).join(''));
const annotation = (cluster: string): string | undefined =>
  mesh.cluster(cluster).get('Secret', 'istio-system/cacerts')?.metadata.annotations?.['kubectl-mesh/journal-head'];

/** The index of the line with the intent of the push of `c1`'s Secret. */
async function intentLine(): Promise<number> {
  return (await lines()).findIndex((line) => line.includes('"action":"c1/cacerts"') && line.includes('"intent"'));
}

describe('the journal head that a push stores in the cluster', () => {
  it('is the position and the hash of its intent', async () => {
    const intent = JSON.parse((await lines())[await intentLine()] ?? '') as Record<string, unknown>;
    expect(annotation('c1')).toBe(`${String(intent.chain)}/${String(intent.seq)}:${String(intent.hash)}`);
  });

  it('matches, for every cluster', async () => {
    const reported = await verified();
    expect([reported.code, reported.result.verdict, ...results(reported)]).toEqual([0, 'ok', 'c1 agrees', 'c2 agrees']);
    expect(reported.result.journal.chains).toMatchObject([{own: true}]);
    expect(await check116()).toEqual(['c1 ok', 'c2 ok']);
  });

  it('is not a change for the next push', async () => {
    const writes = mesh.cluster('c1').writes.length;
    const run = await runCommand(TrustPush, ['-o', 'json'], mesh.env);
    expect((answerOf(run) as PushResult).clusters.map(({outcome}) => outcome)).toEqual(['unchanged', 'unchanged']);
    expect(mesh.cluster('c1').writes).toHaveLength(writes);
  });

  it('is updated by a change, by a patch that keeps the key, and by a rollback', async () => {
    const seen = [annotation('c1')];
    await mesh.renew('c1');
    expect((await runCommand(TrustPush, ['c1', '--yes'], mesh.env)).code).toBe(0);
    seen.push(annotation('c1'));
    const texts = {...textsOf(mesh.bundle('c1')), [caFileNames.caKey]: undefined};
    const both = `${mesh.root.certificate.pem}${(await tinyRoot()).certificate.pem}`;
    await mesh.writeCa('c1', {...texts, [caFileNames.rootCert]: both});
    expect((await runCommand(TrustPush, ['c1', '--yes'], mesh.env)).code).toBe(0);
    expect(mesh.cluster('c1').writes.map(({verb}) => verb)).toContain('patch');
    seen.push(annotation('c1'));
    expect((await runCommand(TrustRollback, ['c1', '--yes'], mesh.env)).code).toBe(0);
    seen.push(annotation('c1'));
    expect(new Set(seen).size).toBe(4);
    expect(results(await verified('c1'))).toEqual(['c1 agrees']);
    const kept = mesh.cluster('c1').get('Secret', 'istio-system/cacerts-previous')?.metadata.annotations;
    expect(kept).not.toHaveProperty(['kubectl-mesh/journal-head']);
  });

  it('is not stored by a dry run', async () => {
    await mesh.renew('c1');
    const before = annotation('c1');
    const requests = mesh.cluster('c1').requests.length;
    expect((await runCommand(TrustPush, ['c1', '--yes', '--dry-run=server'], mesh.env)).code).toBe(0);
    expect(annotation('c1')).toBe(before);
    const sent = JSON.stringify(
      mesh
        .cluster('c1')
        .requests.slice(requests)
        .filter(({dryRun}) => dryRun),
    );
    expect(sent).toContain('cacerts');
    expect(sent).not.toContain('journal-head');
  });
});

describe('tampering', () => {
  const rewritten = 'c1 rewritten';
  it.each<[string, () => Promise<void>, {offline: number; faults: string[]; heads: string[]}]>([
    [
      'the last line is deleted',
      async () => writeLines((await lines()).slice(0, -1)),
      {offline: 3, faults: ['cut-off'], heads: ['c1 agrees', 'c2 agrees']},
    ],
    [
      'a line in the middle is deleted',
      async () => writeLines((await lines()).toSpliced(await intentLine(), 1)),
      {offline: 3, faults: ['out-of-place'], heads: ['c1 cut', 'c2 agrees']},
    ],
    [
      'a word is changed',
      async () => {
        const at = await intentLine();
        await writeLines((await lines()).map((line, index) => (index === at ? line.replace('c1/', 'c9/') : line)));
      },
      {offline: 3, faults: ['changed'], heads: [rewritten, 'c2 agrees']},
    ],
    [
      'the user is changed, and the complete chain and its recorded head are recomputed',
      () => rewriteJournal(mesh.dir, (entry) => ({...entry, user: 'another user'})),
      {offline: 0, faults: [], heads: [rewritten, 'c2 rewritten']},
    ],
    [
      'a push is removed, and the complete chain and its recorded head are recomputed',
      () => rewriteJournal(mesh.dir, (entry) => (entry.action === 'c1/cacerts' ? undefined : entry)),
      {offline: 0, faults: [], heads: ['c1 rewritten', 'c2 cut']},
    ],
    [
      'the file is truncated before the pushes, and its recorded head deleted',
      async () => {
        await writeLines((await lines()).slice(0, 2));
        await rm(memory());
      },
      {offline: 0, faults: [], heads: ['c1 cut', 'c2 cut']},
    ],
    [
      'the file is emptied, and its recorded head deleted',
      async () => {
        await writeFile(journal(), '');
        await rm(memory());
      },
      {offline: 0, faults: [], heads: ['c1 cut', 'c2 cut']},
    ],
  ])('%s: detected', async (_, tamper, {offline, faults, heads}) => {
    await tamper();
    const files = await verified('--offline');
    expect([files.code, files.result.clusters]).toEqual([offline, []]);
    expect(files.result.journal.faults.map(({kind}) => kind)).toEqual(faults);
    const messages = await verified();
    expect([messages.code, messages.result.verdict, ...results(messages)]).toEqual([3, 'error', ...heads]);
  });

  it('is a finding of MESH116, whose command shows details', async () => {
    await rewriteJournal(mesh.dir, (entry) => ({...entry, host: 'elsewhere'}));
    const run = await runCommand(Verify, ['--only', 'MESH113,MESH116', '-o', 'json'], mesh.env);
    const {checks} = answerOf(run) as AsJson<VerifyResult>;
    expect([run.code, ...checks.map(({id, result}) => `${id} ${result}`)]).toEqual([
      3,
      'MESH113 ok',
      'MESH116 error',
      'MESH116 error',
    ]);
    expect(checks[1]?.fix).toMatch(/^kubectl mesh journal verify c1/);
    // It fixes nothing, and is not presented as a fix.
    expect((await runCommand(Verify, ['--only', 'MESH116'], mesh.env)).stdout).toMatch(
      /inspect: +kubectl mesh journal verify c1/,
    );
  });

  it('is reported by the next push, which would overwrite the recorded head', async () => {
    await rewriteJournal(mesh.dir, (entry) => ({...entry, user: 'another user'}));
    const run = await runCommand(TrustPush, ['c1', '-o', 'json'], mesh.env);
    expect((answerOf(run) as PushResult).warnings).toMatchObject([
      {cluster: 'c1', message: expect.stringContaining('journal') as unknown},
    ]);
  });

  it('that includes the annotation is detected, too', async () => {
    const secret = mesh.cluster('c1').get('Secret', 'istio-system/cacerts');
    if (!secret) throw new Error('no Secret');
    const {metadata} = secret;
    mesh.cluster('c1').put({
      ...secret,
      metadata: {...metadata, annotations: {...metadata.annotations, 'kubectl-mesh/journal-head': 'x\u001b[31m'}},
    });
    const run = await runCommand(JournalVerify, ['c1'], mesh.env);
    expect(run.code).toBe(3);
    expect(run.stdout).not.toContain('\u001b');
  });
});

describe('an unknown result', () => {
  /** A second copy of the work directory, as a colleague has it. */
  async function copyOf(dir: string): Promise<string> {
    const copy = await mkdtemp(join(tmpdir(), 'km-copy-'));
    for (const name of ['mesh.yaml', 'journal.jsonl', 'root-cert.pem'])
      await copyFile(join(dir, name), join(copy, name));
    for (const name of ['c1', 'c2']) {
      await mkdir(join(copy, name), {mode: 0o700});
      for (const file of ['ca-cert.pem', 'ca-key.pem', 'root-cert.pem', 'cert-chain.pem']) {
        await copyFile(join(dir, name, file), join(copy, name, file));
      }
    }
    return copy;
  }

  it("is a colleague's push that was not pulled: unknown, and ok once it is pulled", async () => {
    await mesh.renew('c1');
    const copy = await copyOf(mesh.dir);
    expect((await runCommand(TrustPush, ['c1', '--yes', '-w', copy], {PATH: mesh.kube.path})).code).toBe(0);
    const shown = await verified();
    expect([shown.code, shown.result.verdict, ...results(shown)]).toEqual([
      4,
      'unknown',
      'c1 not-known-here',
      'c2 agrees',
    ]);
    expect(await check116()).toEqual(['c1 warning', 'c2 ok']);
    await copyFile(join(copy, 'journal.jsonl'), journal());
    await rm(copy, {recursive: true});
    const pulled = await verified();
    expect([pulled.code, ...results(pulled)]).toEqual([0, 'c1 agrees', 'c2 agrees']);
    expect(pulled.result.journal.chains.map(({own}) => own).sort()).toEqual([false, true]);
  });

  it("is not caused by a colleague's chain after our own entries: its removal is detected", async () => {
    await mesh.renew('c1');
    const copy = await copyOf(mesh.dir);
    expect((await runCommand(TrustPush, ['c1', '--yes', '-w', copy], {PATH: mesh.kube.path})).code).toBe(0);
    await copyFile(join(copy, 'journal.jsonl'), journal());
    await rm(copy, {recursive: true});
    const theirs = (await verified('--offline')).result.journal.chains.find(({own}) => !own)?.chain ?? '';
    await mesh.renew('c1');
    expect((await runCommand(TrustPush, ['c1', '--yes'], mesh.env)).code).toBe(0);
    expect((await verified()).code).toBe(0);
    await writeLines((await lines()).filter((line) => !line.includes(`"chain":"${theirs}"`)));
    const verification = await verified();
    expect([verification.code, ...results(verification)]).toEqual([3, 'c1 agrees', 'c2 agrees']);
    expect(verification.result.journal.faults).toMatchObject([{kind: 'cut-off'}]);
  });

  it("is a colleague's chain that was pulled in part", async () => {
    const copy = await copyOf(mesh.dir);
    const env = {PATH: mesh.kube.path};
    for (const keep of [true, false]) {
      await mesh.renew('c1');
      for (const file of ['ca-cert.pem', 'ca-key.pem', 'cert-chain.pem']) {
        await copyFile(join(mesh.dir, 'c1', file), join(copy, 'c1', file));
      }
      expect((await runCommand(TrustPush, ['c1', '--yes', '-w', copy], env)).code).toBe(0);
      if (keep) await copyFile(join(copy, 'journal.jsonl'), journal());
    }
    expect(results(await verified('c1'))).toEqual(['c1 not-known-here']);
    await rm(copy, {recursive: true});
  });

  it('is a missing journal', async () => {
    await rm(journal());
    await rm(memory());
    const verification = await verified();
    expect([verification.code, verification.result.journal.present, ...results(verification)]).toEqual([
      4,
      false,
      'c1 not-known-here',
      'c2 not-known-here',
    ]);
  });

  it.each(['secrets', 'namespaces'])('is a cluster without permission to read %s', async (resource) => {
    mesh.cluster('c1').deny({resource});
    const verification = await verified();
    expect([verification.code, verification.result.verdict, ...results(verification)]).toEqual([
      4,
      'unknown',
      'c2 agrees',
    ]);
    expect(verification.result.clusters[0]?.error?.code).toBe('FORBIDDEN');
  });

  it('does not outweigh findings', async () => {
    mesh.cluster('c1').deny({resource: 'secrets'});
    await rewriteJournal(mesh.dir, (entry) => ({...entry, user: 'another user'}));
    expect((await verified()).code).toBe(3);
  });

  it('is not caused by a cluster without a stored head: that is reported', async () => {
    const secret = mesh.cluster('c1').get('Secret', 'istio-system/cacerts');
    if (!secret) throw new Error('no Secret');
    mesh.cluster('c1').put({...secret, metadata: {...secret.metadata, annotations: {}}});
    const verification = await verified();
    expect([verification.code, verification.result.verdict, ...results(verification)]).toEqual([0, 'ok', 'c2 agrees']);
    expect((await runCommand(JournalVerify, ['c1'], mesh.env)).stdout).toMatch(/c1: no journal head/);
    expect(await check116()).toEqual(['c1 skipped', 'c2 ok']);
  });
});

describe('a damaged journal that was set aside by the fix of MESH113', () => {
  it('is still compared; without it the entries belong to a missing journal', async () => {
    await writeLines((await lines()).toSpliced(0, 1));
    const run = await runCommand(Verify, ['--offline', '--only', 'MESH113', '-o', 'json'], mesh.env);
    execFileSync('sh', ['-c', (answerOf(run) as AsJson<VerifyResult>).checks[0]?.fix ?? ''], {cwd: mesh.dir});
    const verification = await verified();
    // The first line is missing: setting aside a single line must be detected.
    expect([verification.code, verification.result.verdict, ...results(verification)]).toEqual([
      3,
      'error',
      'c1 put-aside',
      'c2 put-aside',
    ]);
    expect(verification.result.clusters[0]?.heads[0]?.message).toMatch(/which was set aside/);
    expect(await check116()).toEqual(['c1 warning', 'c2 warning']);
    execFileSync('sh', ['-c', 'rm journal.broken-*'], {cwd: mesh.dir});
    expect(results(await verified())).toEqual(['c1 not-known-here', 'c2 not-known-here']);
  });

  it('is reported if only later entries are damaged, until it is moved away', async () => {
    const all = await lines();
    await writeLines([...all.slice(0, -1), (all.at(-1) ?? '').replace('"done"', '"failed"')]);
    const run = await runCommand(Verify, ['--offline', '--only', 'MESH113', '-o', 'json'], mesh.env);
    execFileSync('sh', ['-c', (answerOf(run) as AsJson<VerifyResult>).checks[0]?.fix ?? ''], {cwd: mesh.dir});
    const gone = await verified();
    // The entries exist and are intact up to there, but there is no journal.
    expect([gone.code, ...results(gone)]).toEqual([3, 'c1 not-known-here', 'c2 not-known-here']);
    expect(await check116()).toEqual([...twice('c1 warning'), ...twice('c2 warning')]);
    await mesh.renew('c1');
    expect((await runCommand(TrustPush, ['c1', '--yes'], mesh.env)).code).toBe(0);
    const verification = await verified();
    expect([verification.code, verification.result.verdict, ...results(verification)]).toEqual([
      3,
      'error',
      'c1 agrees',
      'c2 agrees',
    ]);
    expect(verification.result.journal.aside).toMatchObject([{faults: [{kind: 'changed'}]}]);
    expect(await check116()).toEqual(['c1 warning', 'c2 warning']);
    const text = await runCommand(JournalVerify, [], mesh.env);
    expect(text.stdout).toMatch(/^journal\.broken-.*\.jsonl: set aside, DAMAGED/m);
    execFileSync('sh', ['-c', 'mkdir ../evidence-$$ && mv journal.broken-* ../evidence-$$/ && rm -r ../evidence-$$'], {
      cwd: mesh.dir,
    });
    const moved = await verified();
    expect([moved.code, ...results(moved)]).toEqual([4, 'c1 agrees', 'c2 not-known-here']);
  });

  it('includes the head that this copy recorded, which reveals lines removed before', async () => {
    await writeLines((await lines()).slice(0, -1));
    const run = await runCommand(Verify, ['--offline', '--only', 'MESH113', '-o', 'json'], mesh.env);
    execFileSync('sh', ['-c', (answerOf(run) as AsJson<VerifyResult>).checks[0]?.fix ?? ''], {cwd: mesh.dir});
    const files = await verified('--offline');
    expect([files.code, files.result.journal.aside.map(({faults}) => faults.map(({kind}) => kind))]).toEqual([
      3,
      [['cut-off']],
    ]);
    const [file = ''] = (await readdir(mesh.dir)).filter((name) => /^journal\.broken-.*\.jsonl$/.test(name));
    await rm(join(mesh.dir, file));
    // The recorded head alone shows that a journal is missing.
    const memoryOnly = await verified('--offline');
    expect([memoryOnly.code, memoryOnly.result.journal.aside]).toMatchObject([
      3,
      [{file: file.replace('.jsonl', '.head.json'), entries: 0, faults: [{kind: 'cut-off'}]}],
    ]);
  });

  it('does not replace a journal: neither intact nor emptied, nor in its place', async () => {
    const all = await lines();
    const remembered = new Set(['c1', 'c2'].map((name) => annotation(name)?.split(':')[1] ?? ''));
    const gutted = all.filter((line) => remembered.has((JSON.parse(line) as {hash: string}).hash));
    expect(gutted).toHaveLength(2);
    const file = join(mesh.dir, 'journal.broken-2026-01-01T0000.jsonl');
    await rm(journal());
    await rm(memory());
    for (const [content, code, result] of [
      [gutted, 3, 'put-aside'],
      [all, 4, 'not-known-here'],
      [all.map((line, at) => (at === 0 ? line.replace('"user":"', '"user":"x') : line)), 3, 'put-aside'],
    ] as const) {
      await writeFile(file, content.map((line) => `${line}\n`).join(''));
      const verification = await verified();
      expect([verification.code, ...results(verification)]).toEqual([code, `c1 ${result}`, `c2 ${result}`]);
      const run = await runCommand(Verify, ['--only', 'MESH113,MESH116', '--fail-on', 'warning'], mesh.env);
      expect(run.code).toBe(3);
    }
    await rm(file);
    await symlink('mesh.yaml', file);
    expect((await verified('--offline')).code).toBe(3);
  });

  it('does not hide a rewritten journal', async () => {
    await copyFile(journal(), join(mesh.dir, 'journal.broken-2026-05-01T1000.jsonl'));
    await rewriteJournal(mesh.dir, (entry) => ({...entry, user: 'another user'}));
    expect(results(await verified())).toEqual(['c1 rewritten', 'c2 rewritten']);
  });
});

describe('without Secrets', () => {
  it('compares the heads in ConfigMaps, and reports what it omitted', async () => {
    const head = annotation('c1') ?? '';
    mesh.cluster('c1').put({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: {
        name: 'kubectl-mesh-install',
        namespace: 'istio-system',
        annotations: {'kubectl-mesh/journal-head': head},
      },
    });
    for (const name of ['c1', 'c2']) mesh.cluster(name).deny({resource: 'secrets'});
    expect((await verified()).code).toBe(4);
    const verification = await verified('--no-secrets');
    expect([verification.code, verification.result.secrets, ...results(verification)]).toEqual([0, false, 'c1 agrees']);
    expect(verification.result.clusters[0]?.heads).toMatchObject([
      {where: 'ConfigMap istio-system/kubectl-mesh-install'},
    ]);
    expect(verification.result.warnings.map(({message}) => message)).toEqual([expect.stringContaining('--no-secrets')]);
    expect((await runCommand(JournalVerify, ['c2', '--no-secrets'], mesh.env)).stdout).toMatch(/Secrets were not read/);
    await rewriteJournal(mesh.dir, (entry) => ({...entry, user: 'another user'}));
    expect((await verified('--no-secrets')).code).toBe(3);
  });
});

describe('the file only', () => {
  it('requires neither a mesh nor a cluster', async () => {
    const empty = await mkdtemp(join(tmpdir(), 'km-empty-'));
    const run = await runCommand(JournalVerify, ['--offline', '-w', empty, '-o', 'json']);
    expect([run.code, (answerOf(run) as VerifyJournalResult).journal.present]).toEqual([0, false]);
    await rm(empty, {recursive: true});
  });

  it('has a warning but no finding if a run was killed', async () => {
    const all = await lines();
    await writeLines(all.slice(0, -1));
    await rm(memory());
    const verification = await verified('--offline');
    // Without its recorded head the copy cannot determine that the open change is its own.
    expect([verification.code, verification.result.verdict, verification.result.journal.open]).toEqual([
      0,
      'warning',
      1,
    ]);
  });
});
