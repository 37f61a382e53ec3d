/** What a person may do next, in a sentence: hints of errors. */
import {Suggestion} from './suggestion.js';

/** A sentence with commands in it. Made by {@link advice}. */
export class Advice {
  constructor(readonly parts: readonly (string | Suggestion)[]) {}
}

/** What to do next: plain text, or text with commands. */
export type Hint = string | Advice;

/** A sentence with commands: advice`see both: ${kubectlMesh('trust diff', [cluster])}`. It may contain another hint. */
export function advice(text: TemplateStringsArray, ...values: readonly (Hint | Suggestion)[]): Advice {
  const parts = text.flatMap((part, index) => [
    part,
    ...values.slice(index, index + 1).flatMap((value) => (value instanceof Advice ? value.parts : [value])),
  ]);
  return new Advice(parts.filter((part) => part !== ''));
}

/** The first command in some hints; undefined where they are text alone. */
export function firstCommand(hints: readonly Hint[]): Suggestion | undefined {
  return hints
    .flatMap((hint) => (typeof hint === 'string' ? [] : hint.parts))
    .find((part): part is Suggestion => part instanceof Suggestion);
}
