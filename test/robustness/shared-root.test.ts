/** One directory for the root key, used by concurrent runs of different work directories. */
import {existsSync} from 'node:fs';
import {mkdtemp, readFile, readdir, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {expect, it, vi} from 'vitest';
import {emptyBox} from './harness/box.js';
import {openssl} from '../helpers/openssl.js';

it('never overwrites a root key: one run creates it, and the others fail or use it', async () => {
  const disk = await mkdtemp(join(tmpdir(), 'kubectl-mesh-disk-'));
  try {
    const args = ['certs', 'generate', 'c1', '--root-dir', disk, '--no-passphrase', '--key-algorithm', 'ecdsa-p256'];
    const boxes = await Promise.all([emptyBox(), emptyBox(), emptyBox()]);
    const runs = await Promise.all(boxes.map((box) => box.run(args)));
    const codes = runs.map(({code}) => code);
    expect(codes).toContain(0);
    expect(codes.filter((code) => code !== 0 && code !== 2 && code !== 1)).toEqual([]);
    const root = await readFile(join(disk, 'root-cert.pem'), 'utf8');
    const publicKey = openssl(['pkey', '-in', join(disk, 'root-key.pem'), '-pubout']);
    expect(openssl(['x509', '-in', join(disk, 'root-cert.pem'), '-noout', '-pubkey'])).toBe(publicKey);
    for (const [index, {work}] of boxes.entries()) {
      if (codes[index] === 0) expect(await readFile(join(work, 'root-cert.pem'), 'utf8')).toBe(root);
    }
    expect((await readdir(disk)).sort()).toEqual(['root-cert.pem', 'root-key.pem']);
  } finally {
    await rm(disk, {recursive: true});
  }
});

it('does not overwrite a root key that another run created after the plan was made', async () => {
  const disk = await mkdtemp(join(tmpdir(), 'kubectl-mesh-disk-'));
  try {
    const [slow, fast] = [await emptyBox(), await emptyBox()];
    const args = ['certs', 'generate', 'c1', '--root-dir', disk, '--key-algorithm', 'ecdsa-p256'];
    // The passphrase is read when the root is created: until then, the other run creates its root.
    const [requested, answered] = ['requested', 'answered'].map((name) => join(slow.work, name));
    const wait = `touch ${String(requested)}; until [ -e ${String(answered)} ]; do sleep 0.05; done; echo a long passphrase`;
    const later = slow.run([...args, '--passphrase-command', wait]);
    await vi.waitUntil(() => existsSync(String(requested)), {timeout: 60_000, interval: 20});
    expect((await fast.run([...args, '--no-passphrase'])).code).toBe(0);
    const before = await readFile(join(disk, 'root-key.pem'), 'utf8');
    await writeFile(String(answered), '');
    expect((await later).code).toBe(2);
    expect(await readFile(join(disk, 'root-key.pem'), 'utf8')).toBe(before);
    expect(existsSync(join(slow.work, 'root-cert.pem'))).toBe(false);
    expect((await readdir(disk)).sort()).toEqual(['root-cert.pem', 'root-key.pem']);
  } finally {
    await rm(disk, {recursive: true});
  }
});
