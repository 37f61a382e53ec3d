import {expect, it} from 'vitest';
import {builtCommands, commands} from './harness/commands.js';

it('tries every command of the program: a new one needs a row in harness/commands.ts', () => {
  expect(Object.keys(commands).sort()).toEqual(builtCommands());
});
