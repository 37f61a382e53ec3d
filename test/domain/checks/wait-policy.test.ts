import {describe, expect, it} from 'vitest';
import type {Check} from '../../../src/domain/checks/check.js';
import {terminalReason} from '../../../src/domain/checks/wait-policy.js';
import type {Row} from '../../../src/domain/checks/report.js';
import type {ErrorCode} from '../../../src/domain/errors.js';

const checks = [
  {id: 'MESH901', waitable: true},
  {id: 'MESH902', waitable: false},
] as unknown as readonly Check[];

const row = (more: Partial<Row>): Row => ({id: 'MESH901', result: 'ok', ...more}) as Row;
const unknown = (code: ErrorCode): Row => row({result: 'unknown', error: {code, message: '', hints: []}});

describe('waiting', () => {
  it.each([
    ['nothing fails', row({id: 'MESH902'}), undefined],
    ['a pod is not ready', row({result: 'error'}), undefined],
    ['only the user can fix it', row({id: 'MESH902', result: 'error'}), 'finding'],
    ['only the user can fix it, and it is a warning', row({id: 'MESH902', result: 'warning'}), undefined],
    ['it is a consequence', row({id: 'MESH902', result: 'error', impliedBy: 'MESH901'}), undefined],
    ['the API server is unreachable', unknown('UNREACHABLE'), undefined],
    ['a request timed out', unknown('TIMEOUT'), undefined],
    ['the pod does not exist yet', unknown('NOT_FOUND'), undefined],
    ['a port cannot be forwarded yet', unknown('TOOL_FAILED'), undefined],
    ['a permission is missing', unknown('FORBIDDEN'), 'refusal'],
    ['a login has expired', unknown('UNAUTHORIZED'), 'refusal'],
    ['kubectl is missing', unknown('TOOL_MISSING'), 'refusal'],
    ['the context does not exist', unknown('CONTEXT_MISSING'), 'refusal'],
    ['the kubeconfig is missing', unknown('KUBECONFIG_MISSING'), 'refusal'],
    ['no context is recorded', unknown('NO_CONTEXT'), 'refusal'],
    ['only time resolves it', unknown('TOO_EARLY'), 'time'],
  ])('if %s (%#)', (_, one, expected) => {
    expect(terminalReason([row({}), one], checks, 'error')).toBe(expected);
  });

  it('continues if only one of several reasons requires time', () => {
    expect(terminalReason([unknown('TOO_EARLY'), row({result: 'error'})], checks, 'error')).toBeUndefined();
  });

  it('does not help with a warning under --fail-on warning', () => {
    expect(terminalReason([row({id: 'MESH902', result: 'warning'})], checks, 'warning')).toBe('finding');
  });
});
