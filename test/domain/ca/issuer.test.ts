import {execFileSync} from 'node:child_process';
import {readFileSync} from 'node:fs';
import {beforeAll, describe, expect, it} from 'vitest';
import {type Certificate, parseCertificates} from '../../../src/domain/x509/certificate.js';
import {cannotIssue, keyCannotIssue} from '../../../src/domain/ca/issuer.js';
import {temporaryFiles} from '../../helpers/openssl.js';

/** CAs from openssl, each below the previous one. */
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
  return pems.reverse().flatMap((pem) => parseCertificates(pem, 'from openssl').certificates);
}

const ca = 'basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign';
const limited = (length: number) =>
  `basicConstraints=critical,CA:TRUE,pathlen:${String(length)}\nkeyUsage=critical,keyCertSign`;

describe('a key that can belong to any of several roots', () => {
  const [limitedRoot, good] = [limited(0), ca].map((extensions) => hierarchy(extensions)[0]);
  const check = (...roots: readonly (Certificate | undefined)[]) =>
    keyCannotIssue({text: '', roots: roots.flatMap((root) => root ?? [])}, new Date(), 'root-cert.pem');

  it('can issue if one of them can', () => {
    expect(check(limitedRoot, good)).toBeUndefined();
    expect(check(good, limitedRoot)).toBeUndefined();
  });

  it('cannot issue if none of them can', () => {
    expect(check(limitedRoot, limitedRoot)).toMatchObject({code: 'WORKDIR_CONFLICT'});
    expect(check()).toMatchObject({code: 'ISSUE_FAILED'});
  });
});

describe('a CA for issuing cluster CAs', () => {
  let good: readonly Certificate[];
  beforeAll(() => {
    good = hierarchy(ca, limited(1), limited(1));
  });

  it('can be below other CAs', () => {
    // The policy CA below the root allows one more CA, but the cluster CA would be the second.
    expect(cannotIssue(good, new Date(), 'it')).toMatchObject({code: 'WORKDIR_CONFLICT'});
    expect(cannotIssue(good.slice(1), new Date(), 'it')).toBeUndefined();
    expect(cannotIssue(good.slice(2), new Date(), 'it')).toBeUndefined();
  });

  it.each([
    ['its own path length is 0', [ca, limited(0)]],
    // A root of path length 1 allows a policy CA, but no cluster CA below that.
    ['the path length above it is exceeded', [limited(1), ca]],
    ['it is not a CA', [ca, 'basicConstraints=critical,CA:FALSE']],
    [
      'its key usage does not permit signing certificates',
      [ca, 'basicConstraints=critical,CA:TRUE\nkeyUsage=critical,cRLSign'],
    ],
  ])('is refused when %s', (_what, levels) => {
    expect(cannotIssue(hierarchy(...levels), new Date(), 'it')).toMatchObject({code: 'WORKDIR_CONFLICT'});
  });

  it('is refused if it, or a CA above it, has expired', () => {
    const later = new Date(Date.now() + 31 * 86_400_000);
    expect(cannotIssue(good.slice(1), later, 'it')).toMatchObject({code: 'WORKDIR_CONFLICT'});
  });
});
