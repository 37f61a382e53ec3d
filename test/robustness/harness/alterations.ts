/**
 * Seeded alterations of an API server's responses: of one value in the JSON, of the whole body, of status and headers, of
 * pagination. The same seed gives the same alterations.
 */
import type {AlteredAnswer} from '../../helpers/fake-kubectl/fake-cluster.js';

/** Random numbers from a seed (mulberry32, github.com/cprosser/mulberry32). */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** An integer from 0 to `limit` - 1. */
  below(limit: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * limit);
  }

  pick<T>(values: readonly T[]): T {
    return values[this.below(values.length)] as T;
  }
}

type Tree = Record<string, unknown>;

/** Terminal sequences and invisible characters: a title, a cleared screen, a link, C1, bidirectional overrides. */
export const escapes =
  '\u001b]0;owned\u0007\u001b[2J\u001b[31m\u009b1A\u001b]8;;http://x\u0007y\r\u202e\u2066\u0000\u007f';

const deep = '\u0001deep\u0001';
const infinite = '\u0001infinite\u0001';
const proto = '\u0001proto\u0001';

/** Values that replace one in a response. The last ones are written into the text, because JSON.stringify cannot. */
const values: readonly unknown[] = [
  null,
  '',
  'text',
  '7',
  escapes,
  'not a date',
  '!!! not base64 !!!',
  'a'.repeat(300_000),
  '../../etc/passwd',
  '--kubeconfig=/etc/passwd',
  '[: {not yaml',
  '{"a":',
  7,
  -1,
  1.5,
  9_007_199_254_740_993,
  true,
  [],
  {},
  [null],
  [[[]]],
  ['text', 7],
  {a: {b: null}},
  {[proto]: {polluted: 'yes', name: 'x'}},
  deep,
  infinite,
];

function textOf(value: unknown): string {
  return JSON.stringify(value)
    .replaceAll(`"${JSON.stringify(deep).slice(1, -1)}"`, '['.repeat(50_000) + ']'.repeat(50_000))
    .replaceAll(`"${JSON.stringify(infinite).slice(1, -1)}"`, '1e999')
    .replaceAll(JSON.stringify(proto).slice(1, -1), '__proto__');
}

interface Place {
  readonly parent: Tree;
  readonly key: string;
  readonly path: string;
}

/** Every value in a JSON tree, with its place. */
function placesIn(tree: unknown, path = ''): readonly Place[] {
  if (typeof tree !== 'object' || tree === null) return [];
  return Object.entries(tree).flatMap(([key, value]) => [
    {parent: tree as Tree, key, path: `${path}/${key}`},
    ...placesIn(value, `${path}/${key}`),
  ]);
}

/** One altered response. */
export interface Alteration {
  readonly what: string;
  readonly answer: AlteredAnswer;
}

const json = {'content-type': 'application/json'};
const status = (code: number, reason: string): string =>
  JSON.stringify({kind: 'Status', apiVersion: 'v1', status: 'Failure', message: `altered ${escapes}`, reason, code});

/** Whole responses, by what they are. */
const wholes: Readonly<Record<string, (body: string) => AlteredAnswer>> = {
  null: () => ({status: 200, headers: json, body: 'null'}),
  'an array': () => ({status: 200, headers: json, body: '[]'}),
  'a string': () => ({status: 200, headers: json, body: '"text"'}),
  'a number': () => ({status: 200, headers: json, body: '1e999'}),
  'an empty object': () => ({status: 200, headers: json, body: '{}'}),
  'items that are an object': () => ({status: 200, headers: json, body: '{"items":{}}'}),
  'items that are an object, with metadata': () => ({status: 200, headers: json, body: '{"metadata":{},"items":{}}'}),
  'items that are null': () => ({status: 200, headers: json, body: '{"metadata":{},"items":[null]}'}),
  'items without metadata': () => ({status: 200, headers: json, body: '{"metadata":{},"items":[{}]}'}),
  'a Status': () => ({status: 200, headers: json, body: status(500, 'InternalError')}),
  'a Status that is a success': () => ({
    status: 200,
    headers: json,
    body: '{"kind":"Status","metadata":{},"items":[]}',
  }),
  HTML: () => ({status: 200, headers: {'content-type': 'text/html'}, body: `<html>${escapes}</html>`}),
  'HTML as JSON': () => ({status: 200, headers: json, body: '<html>Login</html>'}),
  'a wrong content type': (body) => ({status: 200, headers: {'content-type': 'text/plain'}, body}),
  'no content type': (body) => ({status: 200, headers: {}, body}),
  nothing: () => ({status: 200, headers: json, body: ''}),
  'half of it': (body) => ({status: 200, headers: json, body: body.slice(0, body.length / 2)}),
  'a byte order mark': (body) => ({status: 200, headers: json, body: `\ufeff${body}`}),
  'bytes that are not UTF-8': (body) => ({
    status: 200,
    headers: json,
    body: Buffer.from(body.replaceAll(/[aeiou]/g, '\u00ff'), 'latin1'),
  }),
  'compressed without request': () => ({
    status: 200,
    headers: {...json, 'content-encoding': 'gzip'},
    body: Buffer.from('1f8b0800000000000003abae0500', 'hex'),
  }),
  'nested deeply': () => ({
    status: 200,
    headers: json,
    body: `{"metadata":{},"items":${'['.repeat(1e6)}${']'.repeat(1e6)}}`,
  }),
  ...Object.fromEntries(
    [
      201, 204, 206, 301, 302, 304, 400, 401, 402, 403, 404, 405, 406, 409, 410, 413, 415, 418, 422, 500, 501, 503, 504,
      599,
    ].map((code) => [`status ${String(code)}`, () => ({status: code, headers: json, body: status(code, 'Altered')})]),
  ),
  'status 500 in HTML': () => ({status: 500, headers: {'content-type': 'text/html'}, body: `<html>${escapes}`}),
  'status 502 in latin1': () => ({
    status: 502,
    headers: {'content-type': 'text/html; charset=iso-8859-1'},
    body: Buffer.from('d\u00e9faut', 'latin1'),
  }),
  'status 400 without sense': () => ({status: 400, headers: json, body: '[1,{"message":7}]'}),
  'status 409 of null': () => ({status: 409, headers: json, body: 'null'}),
};

/** Alters one response to a request. */
export function alterationOf(random: Random, body: unknown): Alteration {
  const text = JSON.stringify(body);
  if (random.below(4) === 0) {
    const [what, whole] = random.pick(Object.entries(wholes));
    return {what, answer: whole(text)};
  }
  const tree = structuredClone(body);
  const {parent, key, path} = random.pick(placesIn(tree));
  const how = random.below(8);
  let what = `${path} is missing`;
  if (how === 0) Reflect.deleteProperty(parent, key);
  else if (how === 1 && Array.isArray(parent)) {
    parent.push(structuredClone(parent[Number(key)]));
    what = `${path} is there twice`;
  } else {
    parent[key] = random.pick(values);
    what = `${path} is ${textOf(parent[key]).slice(0, 60)}`;
  }
  return {what, answer: {status: 200, headers: json, body: textOf(tree)}};
}

/** The response with terminal sequences at the end of a share of its strings, and in some of its maps. */
export function withEscapes(random: Random, share: number, body: unknown): AlteredAnswer {
  const isHit = (): boolean => random.below(1000) < share * 1000;
  const text = JSON.stringify(body, (key, value: unknown) => {
    if (['kind', 'apiVersion', 'continue'].includes(key)) return value;
    if (typeof value === 'string') return isHit() ? `${value}${escapes}` : value;
    const isMap = ['labels', 'annotations', 'data'].includes(key) && typeof value === 'object';
    return isMap && isHit() ? {...value, [`key${escapes}`]: escapes} : value;
  });
  return {status: 200, headers: json, body: text};
}
