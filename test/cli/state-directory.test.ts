import {isAbsolute} from 'node:path';
import {expect, it} from 'vitest';
import {stateDirectory} from '../../src/cli/deps.js';

it("is the user's, never relative to the current directory", () => {
  expect(stateDirectory({XDG_STATE_HOME: '/s', HOME: '/h'})).toBe('/s/kubectl-mesh');
  expect(stateDirectory({XDG_STATE_HOME: 's', HOME: '/h'})).toBe('/h/.local/state/kubectl-mesh');
  for (const HOME of [undefined, '', '.', 'h']) expect(isAbsolute(stateDirectory({HOME}))).toBe(true);
});
