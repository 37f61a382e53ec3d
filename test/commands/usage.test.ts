/** Errors in the command line: unknown flags, missing arguments, invalid values. */
import {describe, expect, it} from 'vitest';
import AccessRole from '../../src/commands/access/role.js';
import CertsGenerate from '../../src/commands/certs/generate.js';
import CertsImport from '../../src/commands/certs/import.js';
import CertsList from '../../src/commands/certs/list.js';
import CertsRequest from '../../src/commands/certs/request.js';
import CertsWorkload from '../../src/commands/certs/workload.js';
import JournalShow from '../../src/commands/journal/show.js';
import MonitorRules from '../../src/commands/monitor/rules.js';
import TrustRollback from '../../src/commands/trust/rollback.js';
import Verify from '../../src/commands/verify.js';
import {answerOf, type CommandClass, runCommand} from '../helpers/run-command.js';

interface UsageError {
  readonly error: {readonly code: string; readonly message: string; readonly hints: readonly string[]};
}

async function usageErrorOf(command: CommandClass, argv: readonly string[]): Promise<UsageError['error']> {
  const run = await runCommand(command, [...argv, '--json']);
  expect(run.code).toBe(2);
  const {error} = answerOf(run) as UsageError;
  expect(error.code).toBe('USAGE');
  return error;
}

describe('an unknown flag', () => {
  it.each([
    [CertsGenerate, ['--renwe'], 'unknown flag --renwe', ['did you mean --renew?']],
    [CertsGenerate, ['--key-algoritm=rsa-2048'], 'unknown flag --key-algoritm', ['did you mean --key-algorithm?']],
    [
      TrustRollback,
      ['c1', '--Yes', '--forgett'],
      'unknown flag --Yes, --forgett',
      ['did you mean --yes?', 'did you mean --forget?'],
    ],
    [Verify, ['--obliterate'], 'unknown flag --obliterate', []],
    [Verify, ['-x'], 'unknown flag -x', []],
  ])('%# suggests the nearest flag', async (command, argv, message, suggestions) => {
    const error = await usageErrorOf(command, argv);
    expect(error.message).toBe(message);
    expect(error.hints.slice(0, -1)).toEqual(suggestions);
    expect(error.hints.at(-1)).toMatch(/^for usage, run: kubectl mesh [a-z ]+ --help$/);
  });
});

it.each<[CommandClass, readonly string[], string]>([
  [TrustRollback, [], 'missing argument CLUSTER'],
  [CertsImport, [], 'missing argument CLUSTER, FILE'],
  [TrustRollback, ['c1', 'c2'], 'unexpected argument "c2"'],
  [CertsWorkload, ['ns/sa'], '--cluster is required'],
  [Verify, ['--timeout'], '--timeout requires a value'],
  [AccessRole, ['--role'], '--role requires a value: reader, operator, installer, renewer, traffic'],
  [Verify, ['--timeout', '1s', '--timeout', '2s'], '--timeout is given more than once'],
  [Verify, ['--timeout', 'soon'], 'invalid --timeout "soon": must be a duration such as 300ms, 30s, 5m or 1h30m'],
  [Verify, ['--concurrency', '0'], 'invalid --concurrency "0": must be an integer greater than or equal to 1'],
  [Verify, ['-o', 'xml'], 'invalid --output "xml": must be one of text, wide, short, junit, mermaid, json'],
  [Verify, ['--as-group', 'ops'], '--as-group requires --as'],
  [
    CertsGenerate,
    ['--passphrase-file', 'a', '--no-passphrase'],
    '--passphrase-file cannot be combined with --no-passphrase',
  ],
  [CertsList, ['--within', '0d'], 'invalid --within "0d": must be a duration such as 30d, 36h or 90m'],
  [CertsRequest, ['--cert-manager', '--issuer', 'A_b'], 'invalid --issuer "A_b": must be a DNS-1123 subdomain'],
  [CertsRequest, ['--reason', ' '], 'invalid --reason: must not be empty'],
  [MonitorRules, ['--runbook-url', 'x'], 'invalid --runbook-url "x": must be a valid URL'],
  [MonitorRules, ['--name', 'A_b'], 'invalid --name "A_b": must be a DNS-1123 subdomain'],
  [
    MonitorRules,
    ['--labels', 'a=b,c'],
    'invalid --labels "c": must be a Kubernetes label KEY=VALUE, such as release=prometheus',
  ],
  [JournalShow, ['--since', '1h', '--until', '2h'], 'invalid --since: must be before --until'],
])('%# is a usage error', async (command, argv, message) => {
  expect((await usageErrorOf(command, argv)).message).toBe(message);
});
