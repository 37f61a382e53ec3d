import {execFileSync} from 'node:child_process';
import {readFileSync} from 'node:fs';
import {beforeAll, describe, expect, it} from 'vitest';
import {type Certificate, parseCertificates} from '../../../src/domain/x509/certificate.js';
import {cannotIssue, keyCannotIssue} from '../../../src/domain/ca/issuer.js';
import {temporaryFiles} from '../../helpers/openssl.js';

/** CAs made by openssl, each below the one before it. */
function hierarchy(...levels: readonly string[]): readonly Certificate[] {
  const file = temporaryFiles(
    Object.fromEntries(levels.map((extensions, level) => [`${String(level)}.ext`, `${extensions}\n`])),
  );
  const openssl = (...args: readonly string[]) => execFileSync('openssl', args, {stdio: 'pipe'});
  const pems = levels.map((_, level): string => {
    const [key, request, certificate] = ['key', 'csr', 'pem'].map((ending) => file(`${String(level)}.${ending}`));
    openssl('genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256', '-out', key ?? '');
    openssl('req', '-new', '-key', key ?? '', '-subj', `/CN=level ${String(level)}`, '-out', request ?? '');
    const issuer =
      level === 0
        ? ['-key', key ?? '']
        : ['-CA', file(`${String(level - 1)}.pem`), '-CAkey', file(`${String(level - 1)}.key`), '-CAcreateserial'];
    const signing = level === 0 ? ['-signkey', ...issuer.slice(1)] : issuer;
    openssl(
      ...['x509', '-req', '-in', request ?? '', ...signing, '-days', '30'],
      ...['-extfile', file(`${String(level)}.ext`), '-out', certificate ?? ''],
    );
    return readFileSync(certificate ?? '', 'utf8');
  });
  return pems.reverse().flatMap((pem) => parseCertificates(pem, 'made by openssl').certificates);
}

const ca = 'basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign';
const limited = (length: number) =>
  `basicConstraints=critical,CA:TRUE,pathlen:${String(length)}\nkeyUsage=critical,keyCertSign`;

describe('a key that may belong to each of several roots', () => {
  const [limitedRoot, good] = [limited(0), ca].map((extensions) => hierarchy(extensions)[0]);
  const judge = (...roots: readonly (Certificate | undefined)[]) =>
    keyCannotIssue({text: '', roots: roots.flatMap((root) => root ?? [])}, new Date(), 'root-cert.pem');

  it('can issue where one of them can', () => {
    expect(judge(limitedRoot, good)).toBeUndefined();
    expect(judge(good, limitedRoot)).toBeUndefined();
  });

  it('cannot issue where none can', () => {
    expect(judge(limitedRoot, limitedRoot)).toMatchObject({code: 'WORKDIR_CONFLICT'});
    expect(judge()).toMatchObject({code: 'ISSUE_FAILED'});
  });
});

describe('a CA that shall issue cluster CAs', () => {
  let good: readonly Certificate[];
  beforeAll(() => {
    good = hierarchy(ca, limited(1), limited(1));
  });

  it('may stand below others', () => {
    // The policy CA below the root allows one more CA: the cluster's stands below its child, which is one too many.
    expect(cannotIssue(good, new Date(), 'it')).toMatchObject({code: 'WORKDIR_CONFLICT'});
    expect(cannotIssue(good.slice(1), new Date(), 'it')).toBeUndefined();
    expect(cannotIssue(good.slice(2), new Date(), 'it')).toBeUndefined();
  });

  it.each([
    ['its own path length is 0', [ca, limited(0)]],
    // A root of path length 1 allows a policy CA, but no cluster CA below that.
    ['the path length above it is used up', [limited(1), ca]],
    ['it is no CA', [ca, 'basicConstraints=critical,CA:FALSE']],
    ['it may not sign certificates', [ca, 'basicConstraints=critical,CA:TRUE\nkeyUsage=critical,cRLSign']],
  ])('is refused when %s', (_what, levels) => {
    expect(cannotIssue(hierarchy(...levels), new Date(), 'it')).toMatchObject({code: 'WORKDIR_CONFLICT'});
  });

  it('is refused when it, or what stands above it, has expired', () => {
    const later = new Date(Date.now() + 31 * 86_400_000);
    expect(cannotIssue(good.slice(1), later, 'it')).toMatchObject({code: 'WORKDIR_CONFLICT'});
  });
});
