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
    ['nothing is wrong', row({id: 'MESH902'}), undefined],
    ['a pod is not ready', row({result: 'error'}), undefined],
    ['only a person mends it', row({id: 'MESH902', result: 'error'}), 'finding'],
    ['only a person mends it, and it is a warning', row({id: 'MESH902', result: 'warning'}), undefined],
    ['it follows from something else', row({id: 'MESH902', result: 'error', impliedBy: 'MESH901'}), undefined],
    ['nobody answers', unknown('UNREACHABLE'), undefined],
    ['an answer came too late', unknown('TIMEOUT'), undefined],
    ['nobody is there to be asked yet', unknown('NOT_FOUND'), undefined],
    ['a port cannot be forwarded yet', unknown('TOOL_FAILED'), undefined],
    ['a right is missing', unknown('FORBIDDEN'), 'refusal'],
    ['a login has expired', unknown('UNAUTHORIZED'), 'refusal'],
    ['there is no kubectl', unknown('TOOL_MISSING'), 'refusal'],
    ['the context has another name', unknown('CONTEXT_MISSING'), 'refusal'],
    ['there is no kubeconfig', unknown('KUBECONFIG_MISSING'), 'refusal'],
    ['no context is known', unknown('NO_CONTEXT'), 'refusal'],
    ['only time is missing', unknown('TOO_EARLY'), 'time'],
  ])('where %s: %#', (_, one, because) => {
    expect(terminalReason([row({}), one], checks, 'error')).toBe(because);
  });

  it('goes on for the rest where only time mends one thing', () => {
    expect(terminalReason([unknown('TOO_EARLY'), row({result: 'error'})], checks, 'error')).toBeUndefined();
  });

  it('is of no use at a warning where warnings count', () => {
    expect(terminalReason([row({id: 'MESH902', result: 'warning'})], checks, 'warning')).toBe('finding');
  });
});
