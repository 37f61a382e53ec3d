import {expect, it} from 'vitest';
import {printableUrl} from '../../src/domain/printable-url.js';

it.each([
  'https://api.example.com:6443',
  'https://api.example.com/path@1?x=@2',
  'http://proxy.example:3128',
  'socks5://[2001:db8::1]:1080',
  'not a URL',
])('prints %s as it is', (url) => {
  expect(printableUrl(url)).toBe(url);
});

it.each([
  ['http://user:hunter2@proxy.example:3128', 'http://proxy.example:3128'],
  ['http://hunter2@proxy.example:3128/p@q', 'http://proxy.example:3128/p@q'],
  ['http://user:hun%40ter2@proxy.example', 'http://proxy.example'],
  ['http://user:hunter2@x@proxy.example', 'http://proxy.example'],
  ['http://user:hunter2/x@proxy.example', 'http://proxy.example'],
  ['http://user:hunter2#x@proxy.example', 'http://proxy.example'],
  ['http://user:hunter2\\x@proxy.example', 'http://proxy.example'],
  ['SOCKS5://user:hunter2@proxy.example', 'SOCKS5://proxy.example'],
  ['ftp://user:hunter2@proxy.example', 'ftp://proxy.example'],
  ['user:hunter2@proxy.example:3128', 'proxy.example:3128'],
  ['http:/user:hunter2@proxy.example', 'proxy.example'],
  ['http://user:hunter2@proxy.example\u001b[2J\n', 'http://proxy.example'],
])('leaves the credentials out of %j', (url, expected) => {
  expect(printableUrl(url)).toBe(expected);
});
