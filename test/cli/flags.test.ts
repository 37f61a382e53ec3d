import {readFileSync} from 'node:fs';
import {describe, expect, it} from 'vitest';

interface Manifest {
  readonly commands: Readonly<Record<string, {readonly flags: Readonly<Record<string, unknown>>}>>;
}

const manifest = JSON.parse(readFileSync(new URL('../../oclif.manifest.json', import.meta.url), 'utf8')) as Manifest;
const commandsWith = (flag: string): readonly string[] =>
  Object.entries(manifest.commands).flatMap(([name, {flags}]) => (flag in flags ? [name.replaceAll(':', ' ')] : []));

describe('a flag exists only on commands that use it', () => {
  it.each([
    [
      'concurrency',
      [
        ...['access show', 'certs adopt', 'certs generate', 'certs list', 'certs request', 'install apply'],
        ...['journal verify', 'link', 'trust diff', 'trust push', 'trust rotate cluster-ca', 'unlink', 'up', 'verify'],
      ],
    ],
    [
      'keep-going',
      [
        'certs generate',
        'certs request',
        'certs rewrite',
        'install apply',
        'install render',
        'link',
        'trust push',
        'trust rotate cluster-ca',
        'unlink',
        'up',
      ],
    ],
    [
      'yes',
      [
        ...[
          'certs adopt',
          'certs generate',
          'certs import',
          'certs passphrase',
          'certs request',
          'certs rewrite',
          'certs workload',
        ],
        ...['install apply', 'link', 'trust push', 'trust rollback', 'trust rotate cluster-ca', 'unlink', 'up'],
      ],
    ],
  ])('--%s', (flag, commands) => {
    expect(commandsWith(flag).toSorted()).toEqual(commands);
  });

  it('--reason exists on every command that makes changes', () => {
    expect(commandsWith('reason')).toEqual(commandsWith('dry-run'));
  });
});
