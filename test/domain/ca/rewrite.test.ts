import {describe, expect, it} from 'vitest';
import {inspectFiles} from '../../../src/domain/ca/inspect-files.js';
import type {CaFiles} from '../../../src/domain/ca/ca-files.js';
import {decideExpiredRoots} from '../../../src/domain/ca/leftover-roots.js';
import {rewriteCaFiles} from '../../../src/domain/ca/rewrite.js';
import {Sensitive} from '../../../src/domain/sensitive.js';
import {chainPem} from '../../../src/domain/x509/chain.js';
import {bundleOf, tinyClusterCa, tinyRoot, type TinyCa} from '../../helpers/tiny-ca.js';

const now = new Date('2026-06-01T00:00:00Z');
const root = await tinyRoot({now});
const middle = await tinyClusterCa(root, 'middle', {
  now,
  change: (template) => ({...template, extensions: {...template.extensions, basicConstraints: {ca: true}}}),
});
const ca = await tinyClusterCa(middle, 'c1', {now});
const other = await tinyRoot({now, meshID: 'other'});
const old = await tinyRoot({now: new Date('2016-01-01T00:00:00Z'), days: 30, meshID: 'old'});
const good = bundleOf(ca, [middle, root]);
const pem = (...all: readonly TinyCa[]): string => chainPem(all.map(({certificate}) => certificate));
const asText = ({caKey, ...rest}: CaFiles) => ({...rest, caKey: caKey?.map(String).test(() => true)});
const ids = (files: CaFiles, wanted: (one: {readonly isOfForm?: boolean}) => boolean = () => true) =>
  inspectFiles(files, {now})
    .findings.filter(wanted)
    .map(({id}) => id);

describe('rewriting', () => {
  it.each<[string, CaFiles, CaFiles]>([
    ['changes nothing in canonical files', good, good],
    ['removes a byte order mark', {...good, caCert: `\ufeff${good.caCert}`}, good],
    ['orders a chain', {...good, certChain: pem(root, ca, middle)}, good],
    ['removes repeated certificates', {...good, certChain: pem(ca, ca, middle, root, root)}, good],
    ['removes certificates of other chains', {...good, certChain: pem(ca, middle, root, other)}, good],
    ['adds a missing CA to the chain', {...good, certChain: pem(middle, root)}, good],
    ['moves the issuers out of ca-cert.pem', {...good, caCert: pem(ca, middle), certChain: pem(ca)}, good],
    ['fills an empty chain as far as its issuers are known', {...good, caCert: pem(ca, middle), certChain: ''}, good],
    ['keeps a chain without its root', {...good, certChain: pem(ca, middle)}, {...good, certChain: pem(ca, middle)}],
    ['keeps all roots', {...good, rootCert: pem(root, other, root)}, {...good, rootCert: pem(root, other)}],
    [
      'removes what precedes the key',
      {
        ...good,
        caKey: good.caKey.map(
          (text) => `-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n${text}`,
        ),
      },
      good,
    ],
  ])('%s', (_, files, expected) => {
    const {files: after, unreadable} = rewriteCaFiles(files);
    expect(unreadable).toEqual([]);
    expect(asText(after)).toEqual(asText(expected));
    expect(after.caKey?.test((text) => expected.caKey?.test((one) => one === text) === true)).toBe(true);
  });

  it.each<[string, CaFiles, readonly string[]]>([
    ['a truncated chain', {...good, certChain: good.certChain.slice(0, -30)}, ['certChain']],
    [
      'an encrypted key',
      {
        ...good,
        caKey: new Sensitive('-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIB\n-----END ENCRYPTED PRIVATE KEY-----\n'),
      },
      ['caKey'],
    ],
  ])('leaves %s as it is', (_, files, unreadable) => {
    expect(rewriteCaFiles(files)).toMatchObject({unreadable, files: {certChain: files.certChain}});
  });

  it.each<[string, CaFiles, readonly string[]]>([
    ['an order', {...good, certChain: pem(root, ca, middle)}, ['chain-order']],
    ['a byte order mark', {...good, rootCert: `\ufeff${good.rootCert}`}, ['unreadable']],
    ['a missing CA', {...good, certChain: pem(middle, root)}, ['chain-without-ca']],
    ['several certificates', {...good, caCert: pem(ca, middle)}, ['several-ca-certs']],
  ])('resolves the findings about %s', (_, files, resolved) => {
    expect(ids(files, ({isOfForm}) => isOfForm === true)).toEqual(resolved);
    expect(ids(rewriteCaFiles(files).files)).toEqual([]);
  });

  it.each<[string, CaFiles, string]>([
    ['a CA of another root', {...good, rootCert: pem(other)}, 'not-trusted'],
    ['another key', {...good, caKey: bundleOf(root, [root]).caKey}, 'key-mismatch'],
    [
      'a published key',
      {...good, rootCert: `${good.rootCert}${bundleOf(other, [other]).caKey.reveal()}`},
      'published-key',
    ],
    ['an expired root', {...good, rootCert: pem(root, old)}, 'root-expired'],
  ])('does not resolve the finding about %s', (_, files, id) => {
    expect(ids(files, ({isOfForm}) => isOfForm !== true)).toContain(id);
  });
});

describe('expired roots', () => {
  const below = {
    cluster: 'c1',
    certificate: ca.certificate,
    chain: [ca, middle, root].map(({certificate}) => certificate),
  };
  const decide = (roots: readonly TinyCa[], clusters = [below]) =>
    decideExpiredRoots(
      roots.map(({certificate}) => certificate),
      clusters,
      now,
    );

  it('are removed beside a valid one', () => {
    expect(decide([old, root])).toMatchObject({kept: [root.certificate], removed: [old.certificate], needed: []});
  });

  it('are kept if no valid root would be left', () => {
    expect(decide([old])).toMatchObject({kept: [old.certificate], removed: []});
    expect(decide([old]).needed).toHaveLength(1);
  });

  it('are kept while the CA of a cluster is below them', async () => {
    const underOld = await tinyClusterCa(old, 'c2', {now: new Date('2016-01-02T00:00:00Z'), days: 20});
    const user = {cluster: 'c2', certificate: underOld.certificate, chain: [underOld.certificate]};
    expect(decide([old, root], [below, user])).toMatchObject({
      removed: [],
      needed: [{reason: expect.stringContaining('c2') as string}],
    });
  });
});
