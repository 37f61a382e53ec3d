import {readFile} from 'node:fs/promises';
import {describe, expect, it} from 'vitest';
import {readMetrics} from '../../../../src/domain/facts/read/metrics.js';

const build = 'istio_build{component="pilot",tag="1.30.3"} 1\n';
const read = (text: string) => readMetrics(build + text, 'istiod-1');
const recorded = (name: string) => readFile(new URL(`../../../fixtures/istiod/${name}.txt`, import.meta.url), 'utf8');

describe('the metrics of a real istiod', () => {
  it('contain version, expiry and counts', async () => {
    expect(readMetrics(await recorded('metrics-1.31'), 'istiod-1')).toEqual({
      version: '1.31.0',
      rootExpiry: new Date(2_110_734_745_000),
      caExpiry: new Date(1_858_446_745_000),
      requests: 1,
      issued: 1,
      unauthenticated: 0,
      signingErrors: [],
    });
  });

  it('have no counters before the first request, which count as zero', async () => {
    expect(readMetrics(await recorded('metrics-1.31-new'), 'istiod-1')).toMatchObject({requests: 0, issued: 0});
  });
});

describe('metrics', () => {
  it('group signing errors by reason, regardless of other labels', () => {
    const text = [
      'citadel_server_csr_sign_err_count{error="TTL_ERROR",a="1"} 2',
      'citadel_server_csr_sign_err_count{a="2",error="TTL_ERROR"} 3 1700000000000',
      'citadel_server_csr_sign_err_count{error="CSR_ERROR",} 1',
      'citadel_server_csr_sign_err_count 4',
    ].join('\n');
    expect(read(text).signingErrors).toEqual([
      {reason: 'CSR_ERROR', count: 1},
      {reason: 'TTL_ERROR', count: 5},
      {reason: 'UNKNOWN', count: 4},
    ]);
  });

  it('contain no expiry if none was recorded', () => {
    const found = read('citadel_server_root_cert_expiry_timestamp 0\n');
    expect(found).not.toHaveProperty('rootExpiry');
    expect(found).not.toHaveProperty('caExpiry');
  });

  it('contain the version of the older metric', () => {
    expect(readMetrics('pilot_info{version="1.6.14-abc-Clean"} 1\n', 'p').version).toBe('1.6.14-abc-Clean');
  });

  it('are read with carriage returns, blanks and escapes', () => {
    const text = 'citadel_server_csr_sign_err_count{ error = "a\\"b\\\\c\\nd\u001b[31m" } 1e+00 \r\n';
    expect(read(text).signingErrors).toEqual([{reason: 'a"b\\c d', count: 1}]);
  });

  it('limit the length of a text', () => {
    const found = read(`citadel_server_csr_sign_err_count{error="${'x'.repeat(100_000)}"} 1\n`);
    expect(found.signingErrors[0]?.reason.length).toBeLessThanOrEqual(100);
  });

  it('accept names of JavaScript properties as labels', () => {
    const found = read('citadel_server_csr_sign_err_count{__proto__="x",error="constructor"} 1\n');
    expect(found.signingErrors).toEqual([{reason: 'constructor', count: 1}]);
  });

  it.each([
    'not_ours{{{ 1',
    'citadel_server_csr_count_total x',
    '# citadel_server_csr_count x',
    ' citadel_server_csr_count x',
    '\u0000\ufffd garbage',
  ])('ignore other lines: %j', (line) => {
    expect(read(`${line}\nciteless 1\n`)).toMatchObject({requests: 0});
  });

  it.each([
    'citadel_server_csr_count',
    'citadel_server_csr_count ',
    'citadel_server_csr_count x',
    'citadel_server_csr_count NaN',
    'citadel_server_csr_count +Inf',
    'citadel_server_csr_count -1',
    'citadel_server_csr_count 0x10',
    'citadel_server_csr_count 1 2 3',
    'citadel_server_csr_count 1e999',
    'citadel_server_csr_count{ 1',
    'citadel_server_csr_count{a="1" 1',
    'citadel_server_csr_count{a="1"b="2"} 1',
    'citadel_server_csr_count{a="1",a="2"} 1',
    'citadel_server_csr_count{a=1} 1',
    'citadel_server_csr_count{a="\\x"} 1',
    'citadel_server_csr_count{a="1"}1',
    'citadel_server_root_cert_expiry_timestamp 1e300',
    'citadel_server_root_cert_expiry_timestamp NaN',
  ])('that are malformed are an error: %s', (line) => {
    expect(() => read(`${line}\n`)).toThrow(expect.objectContaining({code: 'API_ERROR'}));
  });

  it('with too many samples of one name are an error', () => {
    const lines = Array.from(
      {length: 100_000},
      (_, at) => `citadel_server_csr_sign_err_count{error="${String(at)}"} 1\n`,
    );
    expect(read(lines.slice(0, 1000).join('')).signingErrors).toHaveLength(1000);
    expect(() => read(lines.join(''))).toThrow(expect.objectContaining({code: 'API_ERROR'}));
  });

  it.each(['', '<html>no</html>', 'up 1\n', 'istio_build{component="agent",tag="1.30.3"} 1\n'])(
    'of another program are an error: %j',
    (text) => {
      expect(() => readMetrics(text, 'istiod-1')).toThrow(expect.objectContaining({code: 'API_ERROR'}));
    },
  );
});
