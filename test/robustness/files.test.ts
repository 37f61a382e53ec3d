import {copyFile, mkdir, rename, rm, symlink, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {describe, expect, it} from 'vitest';
import {openssl} from '../helpers/openssl.js';
import {bundleOf, tinyClusterCa, tinyRoot} from '../helpers/tiny-ca.js';
import {textsOf} from '../helpers/trust-mesh.js';
import {meshBox, passphrase, snapshot, type Box} from './harness/box.js';
import {expectExit, expectNoCrash, runChild} from './harness/run.js';

const ecKey = (): string => openssl(['ecparam', '-genkey', '-name', 'prime256v1', '-noout']);

/** Something wrong with cluster1's files. */
interface Spoil {
  readonly what: string;
  readonly spoil: (box: Box) => Promise<unknown>;
  /** Word that the message must have: the file that is wrong. */
  readonly names: string;
}

const key = 'cluster1/ca-key.pem';
const cert = 'cluster1/ca-cert.pem';

const spoils: readonly Spoil[] = [
  {
    what: 'a certificate where the key should be',
    names: 'ca-key.pem',
    spoil: (box) => copyFile(join(box.work, cert), join(box.work, key)),
  },
  {
    what: 'a key where the certificate should be',
    names: 'ca-cert.pem',
    spoil: (box) => copyFile(join(box.work, key), join(box.work, cert)),
  },
  {
    what: 'a key of another CA',
    names: 'key',
    spoil: (box) => copyFile(join(box.work, 'cluster2/ca-key.pem'), join(box.work, key)),
  },
  {
    what: 'an encrypted key',
    names: 'ca-key.pem',
    spoil: async (box) => box.put(key, openssl(['pkcs8', '-topk8', '-passout', 'pass:x'], await box.read(key))),
  },
  {
    what: 'another root for one cluster',
    names: 'root-cert.pem',
    spoil: async (box) => box.put('cluster1/root-cert.pem', (await tinyRoot()).certificate.pem),
  },
  {
    what: 'a truncated key',
    names: 'ca-key.pem',
    spoil: async (box) => box.put(key, (await box.read(key)).slice(0, 90)),
  },
  {
    what: 'a truncated certificate',
    names: 'ca-cert.pem',
    spoil: async (box) => box.put(cert, (await box.read(cert)).slice(0, 300)),
  },
  {what: 'random bytes for a key', names: 'ca-key.pem', spoil: (box) => box.put(key, randomLike(2000))},
  {what: 'random bytes for a certificate', names: 'ca-cert.pem', spoil: (box) => box.put(cert, randomLike(2000))},
  {what: 'an empty key', names: 'ca-key.pem', spoil: (box) => box.put(key, '')},
  {what: 'an empty certificate', names: 'ca-cert.pem', spoil: (box) => box.put(cert, '')},
  {what: 'a directory for a key', names: 'ca-key.pem', spoil: (box) => inPlace(box, key, (path) => mkdir(path))},
  {
    what: 'a pipe for a key',
    names: 'ca-key.pem',
    spoil: (box) => inPlace(box, key, (path) => runChild('mkfifo', [path], {cwd: box.work, env: box.env})),
  },
  {
    what: 'a link to /dev/zero for a certificate',
    names: 'ca-cert.pem',
    spoil: (box) => inPlace(box, cert, (path) => symlink('/dev/zero', path)),
  },
  {
    what: 'a link to itself',
    names: 'ca-cert.pem',
    spoil: (box) => inPlace(box, cert, (path) => symlink('ca-cert.pem', path)),
  },
  {
    what: 'a certificate that expired',
    names: 'cluster1',
    spoil: async (box) => {
      const past = new Date('2020-01-01');
      const root = await tinyRoot({now: past, days: 30});
      await box.put('root-cert.pem', root.certificate.pem);
      for (const name of ['cluster1', 'cluster2', 'cluster3']) {
        const ca = bundleOf(await tinyClusterCa(root, name, {now: past, days: 20}), [root]);
        for (const [file, text] of Object.entries(textsOf(ca))) await box.put(`${name}/${file}`, text);
      }
    },
  },
];

/** The same bytes each time, and no text. */
function randomLike(length: number): Buffer {
  return Buffer.from(Array.from({length}, (_, at) => (at * 7919 + (at >> 3) * 31) % 256));
}

async function inPlace(box: Box, file: string, make: (path: string) => Promise<unknown>): Promise<void> {
  await rm(join(box.work, file), {force: true});
  await make(join(box.work, file));
}

describe.each(spoils)('$what', ({what, spoil, names}) => {
  it('is reported with its file, stops commands that need it, and stays unchanged', async () => {
    const box = await meshBox();
    await spoil(box);
    const before = await snapshot(box.work);
    for (const words of [
      ['certs', 'generate'],
      ['trust', 'push', 'cluster1', '--dry-run'],
      ['verify', '--offline'],
    ]) {
      const run = await box.run(words, {limitMs: 20_000});
      const label = `${what}: ${words.join(' ')}`;
      expectNoCrash(run, label);
      expect([2, 3, 4, 5], label + run.stdout + run.stderr).toContain(run.code);
      if (words[0] !== 'trust') expect(run.stdout + run.stderr, label).toContain(names);
      expect(await snapshot(box.work), label).toEqual(before);
    }
    for (const words of [
      ['certs', 'list'],
      ['certs', 'inspect', 'cluster1'],
      ['install', 'render', '--dry-run'],
    ]) {
      expectNoCrash(await box.run(words, {limitMs: 20_000}), `${what}: ${words.join(' ')}`);
    }
    await box.dispose();
  });
});

describe('what people and tools put around PEM', () => {
  it.each([
    ['CRLF', (text: string) => text.replaceAll('\n', '\r\n')],
    ['text before it', (text: string) => `Certificate:\n    Data:\n        Version: 3 (0x2)\n${text}`],
    ['no newline at its end', (text: string) => text.trimEnd()],
    ['a byte order mark', (text: string) => `\ufeff${text}`],
  ])('%s crashes no command, and unusable input is reported', async (_what, change) => {
    const box = await meshBox();
    for (const file of ['ca-cert.pem', 'ca-key.pem', 'cert-chain.pem', 'root-cert.pem']) {
      await box.put(`cluster1/${file}`, change(await box.read(`cluster1/${file}`)));
    }
    const before = await snapshot(box.work);
    const generated = await box.run(['certs', 'generate']);
    expectNoCrash(generated, 'generate');
    expect([0, 2]).toContain(generated.code);
    if (generated.code === 0) expect(await snapshot(box.work)).toEqual(before);
    expectNoCrash(await box.run(['verify', '--offline']), 'verify');
    expectNoCrash(await box.run(['certs', 'inspect', 'cluster1']), 'inspect');
    await box.dispose();
  });

  it('an EC PARAMETERS block before the key is reported: istiod reads the first block only', async () => {
    const box = await meshBox();
    const privateKey = openssl(['ec'], await box.read(key));
    await box.put(key, `${openssl(['ecparam', '-name', 'prime256v1'])}${privateKey}`);
    const run = await box.run(['certs', 'inspect', 'cluster1', '-o', 'json']);
    expectNoCrash(run, 'inspect');
    expect(run.stdout + run.stderr).toContain('EC PARAMETERS');
    const push = await box.run(['trust', 'push', 'cluster1', '--dry-run']);
    expectNoCrash(push, 'push');
    await box.dispose();
  });
});

type RootKeyCase = readonly [
  what: string,
  flags: readonly string[],
  env: Readonly<Record<string, string>>,
  code: number,
  spoil: (box: Box) => unknown,
];

describe('the root key', () => {
  const renew = ['certs', 'generate', 'cluster1', '--renew', '--yes'];
  const cases: readonly RootKeyCase[] = [
    ['a wrong passphrase', [], {KUBECTL_MESH_PASSPHRASE: 'wrong'}, 2, () => undefined],
    ['an empty passphrase', [], {KUBECTL_MESH_PASSPHRASE: ''}, 5, () => undefined],
    ['a passphrase file that is missing', ['--passphrase-file', 'nowhere'], {}, 2, () => undefined],
    ['a passphrase file that is a directory', ['--passphrase-file', 'cluster1'], {}, 2, () => undefined],
    ['a passphrase file that is empty', ['--passphrase-file', '/dev/null'], {}, 5, () => undefined],
    ['a passphrase file without an end', ['--passphrase-file', '/dev/zero'], {}, 2, () => undefined],
    ['a passphrase command that fails', ['--passphrase-command', 'echo half; exit 3'], {}, 1, () => undefined],
    ['a passphrase command that says nothing', ['--passphrase-command', 'true'], {}, 5, () => undefined],
    ['a passphrase command that is missing', ['--passphrase-command', 'no-such-program'], {}, 1, () => undefined],
    [
      'a root key in the clear',
      [],
      {},
      0,
      async (box) => {
        await box.put(
          'root-key.pem',
          openssl(['pkcs8', '-passin', `pass:${passphrase}`], await box.read('root-key.pem')),
        );
      },
    ],
    ['a root key of another root', [], {}, 2, (box) => box.put('root-key.pem', ecKey())],
    [
      'a certificate for a root key',
      [],
      {},
      2,
      async (box) => box.put('root-key.pem', await box.read('root-cert.pem')),
    ],
    ['an empty root key', [], {}, 2, (box) => box.put('root-key.pem', '')],
    [
      'a truncated root key',
      [],
      {},
      2,
      async (box) => box.put('root-key.pem', (await box.read('root-key.pem')).slice(0, 200)),
    ],
    ['no root key', [], {}, 2, (box) => rm(join(box.work, 'root-key.pem'))],
    ['no root certificate', [], {}, 2, (box) => rm(join(box.work, 'root-cert.pem'))],
  ];
  it.each(cases)('%s', async (what, flags, env, code, spoil) => {
    const box = await meshBox();
    await spoil(box);
    const before = await snapshot(box.work);
    const run = await box.run([...renew, ...flags], {env: {...box.env, ...env}});
    expectExit(run, code, what);
    const after = await snapshot(box.work);
    const ignored = {'journal.jsonl': '', '.journal-head.json': ''};
    if (code === 0) expect({...after, ...ignored}).not.toEqual({...before, ...ignored});
    // An attempt may be in the journal; no file of a CA has changed.
    else expect({...after, ...ignored}).toEqual({...before, ...ignored});
    expect(run.stdout + run.stderr).not.toContain('half');
    await box.dispose();
  });

  it('is not made without a passphrase, a terminal or a word about it', async () => {
    const box = await meshBox();
    await rm(join(box.work, 'root-key.pem'));
    for (const name of ['root-cert.pem', 'cluster1', 'cluster2', 'cluster3']) {
      await rm(join(box.work, name), {recursive: true});
    }
    const env = Object.fromEntries(Object.entries(box.env).filter(([name]) => name !== 'KUBECTL_MESH_PASSPHRASE'));
    const before = await snapshot(box.work);
    expectExit(await box.run(['certs', 'generate'], {env}), 5, 'no passphrase');
    expect(await snapshot(box.work)).toEqual(before);
    expectExit(await box.run(['certs', 'generate'], {env: {...env, KUBECTL_MESH_PASSPHRASE: ''}}), 5, 'an empty one');
    expect(await snapshot(box.work)).toEqual(before);
    await box.dispose();
  });
});

describe('a symbolic link', () => {
  it('to an outside folder in place of a cluster gets no key, and nothing outside changes', async () => {
    const box = await meshBox();
    const outside = join(box.dir, 'outside');
    await rename(join(box.work, 'cluster1'), outside);
    await symlink(outside, join(box.work, 'cluster1'));
    const before = await snapshot(outside);
    expectExit(
      await box.run(['certs', 'generate', 'cluster1', '--renew', '--yes', '--key-algorithm', 'ecdsa-p256']),
      5,
      'renew',
    );
    await rm(join(outside, 'ca-key.pem'));
    await rm(join(outside, 'ca-cert.pem'));
    const run = await box.run(['certs', 'generate', 'cluster1']);
    expectNoCrash(run, 'generate');
    expect(run.code).not.toBe(0);
    expect(Object.keys(await snapshot(outside)).length).toBe(Object.keys(before).length - 2);
    await box.dispose();
  });

  it('in place of a key is not followed when the key is written, wherever it leads', async () => {
    for (const target of ['outside-key.pem', 'dangling/key.pem', '/dev/zero']) {
      const box = await meshBox();
      await writeFile(join(box.dir, 'outside-key.pem'), 'precious');
      await rm(join(box.work, 'root-key.pem'));
      await rm(join(box.work, 'root-cert.pem'));
      for (const name of ['cluster1', 'cluster2', 'cluster3']) await rm(join(box.work, name), {recursive: true});
      await symlink(target.startsWith('/') ? target : join(box.dir, target), join(box.work, 'root-key.pem'));
      const before = await snapshot(box.dir);
      const run = await box.run(['certs', 'generate'], {limitMs: 20_000});
      expectNoCrash(run, target);
      expect([2, 5], run.stderr).toContain(run.code);
      const after = await snapshot(box.dir);
      expect(after['outside-key.pem']).toBe(before['outside-key.pem']);
      expect(Object.keys(after).filter((name) => name.startsWith('dangling'))).toEqual([]);
      await box.dispose();
    }
  });
});
