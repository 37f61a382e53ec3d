import {describe, expect, it} from 'vitest';
import {exposition} from '../../../src/output/formats/prometheus.js';

const family = {name: 'kubectl_mesh_x', help: 'A\\B\nC', type: 'gauge'} as const;

describe('the text format of Prometheus', () => {
  it('has HELP and TYPE once, one line for each sample, and no family without samples', () => {
    const text = exposition([
      {
        ...family,
        samples: [
          {labels: {}, value: 1},
          {labels: {a: 'b', c: ''}, value: 2},
        ],
      },
      {...family, name: 'kubectl_mesh_y', samples: []},
    ]);
    expect(text).toBe(
      '# HELP kubectl_mesh_x A\\\\B\\nC\n# TYPE kubectl_mesh_x gauge\nkubectl_mesh_x 1\nkubectl_mesh_x{a="b",c=""} 2',
    );
  });

  it.each([
    ['quote"', 'quote\\"'],
    ['back\\slash', 'back\\\\slash'],
    ['a\nb', 'a b'],
    ['"} 1\nevil_metric 7', '\\"} 1 evil_metric 7'],
    ['esc\u001b[2Jape\u202e', 'escape'],
    ['half\ud800', 'half\ufffd'],
    ['é漢😀', 'é漢😀'],
  ])('escapes what a certificate may be called: %j', (value, written) => {
    expect(
      exposition([{...family, samples: [{labels: {a: value}, value: 1}]}])
        .split('\n')
        .slice(2),
    ).toEqual([`kubectl_mesh_x{a="${written}"} 1`]);
  });

  it('cuts long values before it escapes them', () => {
    const [line = ''] = exposition([{...family, samples: [{labels: {a: '"'.repeat(5000)}, value: 1}]}])
      .split('\n')
      .slice(2);
    expect(line).toMatch(/^kubectl_mesh_x\{a="(?:\\")+…"\} 1$/);
    expect(line.length).toBeLessThan(450);
  });

  it('never writes a series twice, which would make the page invalid', () => {
    const samples = [3, 1, 2].map((value) => ({labels: {a: 'b'}, value}));
    expect(exposition([{...family, samples}])).toMatch(/\nkubectl_mesh_x\{a="b"\} 1$/);
    expect(exposition([{...family, samples, keep: 'largest'}])).toMatch(/\nkubectl_mesh_x\{a="b"\} 3$/);
  });
});
