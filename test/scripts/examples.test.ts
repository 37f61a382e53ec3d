/** The scripts in examples/: what can be shown without running them. */
import {execFileSync} from 'node:child_process';
import {readdirSync} from 'node:fs';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {expect, it} from 'vitest';

const examples = fileURLToPath(new URL('../../examples/', import.meta.url));
const scripts = readdirSync(examples, {recursive: true, encoding: 'utf8'}).filter((path) => path.endsWith('.sh'));

it.each(scripts)('%s is a valid script', (path) => {
  expect(execFileSync('bash', ['-n', join(examples, path)], {encoding: 'utf8'})).toBe('');
});
