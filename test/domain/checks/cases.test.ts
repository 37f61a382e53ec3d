/** Work directories from public bug reports: what `verify --offline` finds, and what it suggests. */
import {existsSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect, it} from 'vitest';
import {inspectFiles} from '../../../src/domain/ca/inspect-files.js';
import {checks} from '../../../src/domain/checks/registry.js';
import type {ClusterCaFacts, IssuingFacts} from '../../../src/domain/facts/facts.js';
import {clusterCaFacts} from '../../../src/domain/facts/read/cluster-ca.js';
import {Sensitive} from '../../../src/domain/sensitive.js';
import {judgedText} from '../../helpers/suggestions.js';
import {evidence} from './healthy.js';

const cases = join(import.meta.dirname, '../../fixtures/cases');
/** All of them are valid on this day. */
const now = new Date('2026-12-15T00:00:00Z');
const noRootKey: IssuingFacts = {possible: false, lacks: 'the root key', why: 'root-key.pem not found'};
const noRoot: IssuingFacts = {possible: false, lacks: 'the root', why: 'root-cert.pem not found'};
const withKey: IssuingFacts = {possible: true, signing: []};

function factsOf(folder: string): ClusterCaFacts {
  const text = (name: string): string | undefined => {
    const path = join(cases, folder, name);
    return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
  };
  const [caCert, caKey, rootCert, certChain] = ['ca-cert.pem', 'ca-key.pem', 'root-cert.pem', 'cert-chain.pem'].map(
    text,
  );
  const files = {caCert, rootCert, certChain, caKey: caKey === undefined ? undefined : new Sensitive(caKey)};
  return clusterCaFacts(files, inspectFiles(files, {now}));
}

it.each<[string, string, IssuingFacts, string, string, RegExp, boolean]>([
  [
    '16-expired-root-left-over/c1',
    '',
    noRootKey,
    'MESH103',
    'warning',
    /^kubectl mesh certs rewrite --remove-expired-roots --yes/,
    false,
  ],
  [
    '17-bom-and-glued-lines/bom',
    '',
    noRootKey,
    'MESH103',
    'error',
    /^kubectl mesh certs rewrite cluster1 --yes/,
    false,
  ],
  [
    '17-bom-and-glued-lines/utf16',
    '',
    withKey,
    'MESH103',
    'error',
    /^kubectl mesh certs rewrite cluster1 --yes/,
    false,
  ],
  [
    '22-fix-without-the-root-key/c1',
    '22-fix-without-the-root-key/c2',
    noRoot,
    'MESH105',
    'error',
    /^kubectl mesh certs list$/,
    true,
  ],
  [
    '22-fix-without-the-root-key/c1',
    '22-fix-without-the-root-key/c2',
    withKey,
    'MESH105',
    'error',
    /^kubectl mesh certs generate \S+ --renew/,
    false,
  ],
  [
    '23-one-serial-twice/east',
    '23-one-serial-twice/west',
    noRootKey,
    'MESH110',
    'warning',
    /^kubectl mesh certs list$/,
    true,
  ],
  [
    '23-one-serial-twice/east',
    '23-one-serial-twice/west',
    withKey,
    'MESH110',
    'warning',
    /^kubectl mesh certs generate cluster2 --renew/,
    false,
  ],
])('%s %s where %j: %s is an %s with a fix that can run', (one, two, issuing, id, severity, fix, hasNote) => {
  const first = factsOf(one);
  const second =
    two === '' ? {missing: ['ca-cert.pem'], problems: [], key: 'absent' as const, roots: []} : factsOf(two);
  const {checks: rows} = judgedText(
    checks.filter((check) => check.id === id),
    {
      ...evidence({cluster1: {caFiles: first}, cluster2: {caFiles: second}, meshValues: {issuing, meshRoots: []}}),
      now,
    },
  );
  const found = rows.filter(({result}) => result === 'error' || result === 'warning');
  expect(found).toMatchObject([{id, result: severity, fix: expect.stringMatching(fix) as string}]);
  expect(found[0]?.note !== undefined).toBe(hasNote);
});
