import {describe, expect, it} from 'vitest';
import {describeStale, installYamlText, renderedVersion} from '../../../src/domain/install/install-yaml.js';

const file = (istio: string, schema: string, body = 'a: 1\nb: 2\n'): string =>
  installYamlText({cluster: 'c1', istio, schema}, body);
const present = file('1.30', '1.24 and later');

describe('an outdated install.yaml', () => {
  it.each<[string, string, {isSame: boolean; names: readonly RegExp[]; not?: RegExp}]>([
    ['the version', file('1.31', '1.24 and later'), {isSame: true, names: [/1\.30/, /1\.31/, /same/]}],
    [
      'the schema version',
      file('1.30', '1.30 and later'),
      {isSame: true, names: [/1\.24 and later/, /1\.30 and later/]},
    ],
    ['other comments', present.replace('Do not edit', 'Never edit'), {isSame: true, names: [/comment/]}],
    [
      'a line',
      file('1.30', '1.24 and later', 'a: 1\nb: 3\n'),
      {isSame: false, names: [/"b: 2"/, /"b: 3"/], not: /same/},
    ],
    ['a new line', file('1.30', '1.24 and later', 'a: 1\nx: 0\nb: 2\n'), {isSame: false, names: [/lacks "x: 0"/]}],
    ['a removed line', file('1.30', '1.24 and later', 'a: 1\n'), {isSame: false, names: [/"b: 2".*no longer/]}],
    ['both', file('1.31', '1.24 and later', 'a: 9\nb: 2\n'), {isSame: false, names: [/1\.31/, /"a: 9"/], not: /same/}],
  ])('names what differs: %s', (_what, rendered, {isSame, names, not}) => {
    const described = describeStale(present, rendered);
    expect(described.isSame).toBe(isSame);
    for (const name of names) expect(described.text).toMatch(name);
    if (not) expect(described.text).not.toMatch(not);
  });

  it('names the version it was rendered for', () => {
    expect(renderedVersion(present)).toBe('1.30');
    expect(renderedVersion('kind: IstioOperator\n')).toBeUndefined();
  });
});
