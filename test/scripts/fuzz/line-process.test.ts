import {afterEach, describe, expect, it} from 'vitest';
import {LinePool} from '../../../scripts/fuzz/line-process.js';

/** Answers each request with its text; ends at the request "crash". */
const program = `
  require('node:readline').createInterface({input: process.stdin}).on('line', (line) => {
    const {id, text, greeting} = JSON.parse(line);
    if (greeting) return;
    if (text === 'crash') process.abort();
    console.log(JSON.stringify({id, text}));
  });`;

let pools: LinePool[] = [];
afterEach(() => {
  for (const pool of pools) pool.close();
  pools = [];
});

function start(...options: ConstructorParameters<typeof LinePool>): LinePool {
  const pool = new LinePool(...options);
  pools.push(pool);
  return pool;
}

describe('a pool of programs', () => {
  it('reports only the request that ends a program, and answers the others', async () => {
    const pool = start(1, {
      command: process.execPath,
      args: ['-e', program],
      window: 8,
      greeting: {greeting: true},
    });
    const texts = ['a', 'b', 'crash', 'c', 'crash', 'd'];
    const answers = await Promise.all(texts.map((text) => pool.request({text})));
    expect(answers).toMatchObject([
      {text: 'a'},
      {text: 'b'},
      {crashed: expect.stringContaining('SIGABRT') as string},
      {text: 'c'},
      {crashed: expect.stringContaining('SIGABRT') as string},
      {text: 'd'},
    ]);
  });

  it('reports a program that does not exist', async () => {
    const pool = start(1, {command: '/nonexistent/program', args: [], window: 8});
    expect(await pool.request({text: 'a'})).toHaveProperty('crashed');
  });
});
