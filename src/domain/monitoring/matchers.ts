/** Label matchers that somebody typed: they go into expressions as they are, so each must be one. */
import {MeshError} from '../errors.js';

const matcher = /^[a-zA-Z_][a-zA-Z0-9_]*(?:=~|!~|!=|=)"(?:[^"\\\n]|\\["\\nt.dwsS+*?|(){}[\]^$-])*"$/;

/** Matchers of a selector, as in `job="istiod",mesh=~"prod.*"`. Throws `USAGE`: they go into expressions as they are. */
export function parseMatchers(text: string): readonly string[] {
  const found = text.match(/[^",]+"(?:[^"\\]|\\.)*"/g) ?? [];
  const matchers = found.map((one) => one.trim());
  const isWhole = found.join(',').replaceAll(/\s/g, '') === text.replaceAll(/\s/g, '');
  if (!isWhole || matchers.length === 0 || !matchers.every((one) => matcher.test(one))) {
    throw new MeshError('USAGE', `${text} is no list of label matchers`, {
      hints: ['Write it as in a Prometheus selector, in single quotes for the shell: \'job="istiod",mesh="prod"\''],
    });
  }
  return matchers;
}
