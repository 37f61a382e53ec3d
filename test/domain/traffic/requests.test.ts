/** What the answers of agnhost and Envoy mean. */
import {describe, expect, it} from 'vitest';
import {dialPath, readDialAnswer} from '../../../src/domain/traffic/dial.js';
import {failureKind} from '../../../src/domain/traffic/failure.js';
import {countAnswers, isRoundOver, maxFailuresAtStart, requestsPerRound} from '../../../src/domain/traffic/rounds.js';

const answer = (text: string, isResponse = true) => ({text, isResponse});
const good = answer('echo-1');
const bad = answer('no healthy upstream');

describe('the answer of /dial', () => {
  it.each<[string, number, string, object]>([
    ['a body', 200, '{"responses":["echo-1"]}', answer('echo-1')],
    ['an empty body, which agnhost omits', 200, '{}', answer('')],
    ['an error of its client', 200, '{"errors":["EOF"]}', answer('EOF', false)],
    [
      'an unknown host',
      400,
      'host and/or port param are invalid. lookup x: no such host',
      answer('host and/or port param are invalid. lookup x: no such host', false),
    ],
  ])('is read: %s', (_, status, text, expected) => {
    expect(readDialAnswer({status, text})).toEqual(expected);
  });

  it.each([
    [200, 'upstream connect error'],
    [200, '[]'],
    [404, '{"responses":["echo-1"]}'],
  ])('is an error if it is not that of agnhost: %i %s', (status, text) => {
    expect(() => readDialAnswer({status, text})).toThrow(expect.objectContaining({code: 'API_ERROR'}));
  });

  it('is requested for one try, and the host is encoded', () => {
    const url = new URL(dialPath('a&tries=9'), 'http://localhost');
    expect(url.pathname).toBe('/dial');
    expect(Object.fromEntries(url.searchParams)).toEqual({
      host: 'a&tries=9',
      port: '8080',
      protocol: 'http',
      request: 'hostname',
      tries: '1',
    });
  });
});

describe('a round', () => {
  it('is over after all requests, or when its first ones fail', () => {
    expect(
      isRoundOver(
        Array.from({length: requestsPerRound - 1}, () => good),
        ['echo-1'],
      ),
    ).toBe(false);
    expect(
      isRoundOver(
        Array.from({length: requestsPerRound}, () => good),
        ['echo-1'],
      ),
    ).toBe(true);
    expect(
      isRoundOver(
        Array.from({length: maxFailuresAtStart - 1}, () => bad),
        ['echo-1'],
      ),
    ).toBe(false);
    expect(
      isRoundOver(
        Array.from({length: maxFailuresAtStart}, () => bad),
        ['echo-1'],
      ),
    ).toBe(true);
    expect(isRoundOver([good, ...Array.from({length: maxFailuresAtStart}, () => bad)], ['echo-1'])).toBe(false);
  });

  it('counts as answered only what an expected pod has answered', () => {
    const facts = countAnswers(
      [good, answer('echo-2'), answer('echo-1', false), bad, bad, answer('a\u001b[31m\nb')],
      ['echo-1'],
    );
    expect(facts).toEqual({
      requests: 6,
      answered: 1,
      failures: [
        {text: 'echo-2', isResponse: true, count: 1},
        {text: 'echo-1', isResponse: false, count: 1},
        {text: 'no healthy upstream', isResponse: true, count: 2},
        {text: 'a b', isResponse: true, count: 1},
      ],
    });
  });
});

describe('the cause that texts show', () => {
  it.each([
    ['RBAC: access denied', true, 'denied'],
    ['no healthy upstream', true, 'no endpoint'],
    [
      'upstream connect error or disconnect/reset before headers. reset reason: remote connection failure, transport failure reason: TLS_error:|268435581:SSL routines:OPENSSL_internal:CERTIFICATE_VERIFY_FAILED:TLS_error_end',
      true,
      'certificate',
    ],
    [
      'upstream connect error or disconnect/reset before headers. reset reason: connection termination',
      true,
      'connection',
    ],
    ['Get "http://10.0.0.1:8080/hostname": EOF', false, 'connection'],
    ['upstream request timeout', true, 'timeout'],
    [
      'Get "http://10.0.0.1:8080/hostname": context deadline exceeded (Client.Timeout exceeded while awaiting headers)',
      false,
      'timeout',
    ],
    ['echo-7d9c-x', true, 'wrong pod'],
    ['echo-7d9c-x', false, 'other'],
    ['', true, 'other'],
  ])('%s (a response: %s)', (text, isResponse, kind) => {
    expect(failureKind([{text, isResponse, count: 1}])).toBe(kind);
  });

  it('is that of most requests', () => {
    const failures = [
      {text: 'EOF', isResponse: false, count: 1},
      {text: 'RBAC: access denied', isResponse: true, count: 2},
    ];
    expect(failureKind(failures)).toBe('denied');
  });
});
