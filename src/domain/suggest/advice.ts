/** What a person may do next, in a sentence: hints of errors. */
import {Suggestion} from './suggestion.js';

/** A sentence with commands in it. Made by {@link advice}. */
export class Advice {
  constructor(readonly parts: readonly (string | Suggestion)[]) {}
}

/** What to do next: plain text, or text with commands. */
export type Hint = string | Advice;

/** A sentence with commands: advice`see both: ${kubectlMesh('trust diff', [cluster])}`. */
export function advice(text: TemplateStringsArray, ...values: readonly (string | Suggestion)[]): Advice {
  return new Advice(
    text.flatMap((part, index) => [part, ...values.slice(index, index + 1)]).filter((part) => part !== ''),
  );
}

/** The first command in some hints; undefined where they are text alone. */
export function firstCommand(hints: readonly Hint[]): Suggestion | undefined {
  return hints
    .flatMap((hint) => (typeof hint === 'string' ? [] : hint.parts))
    .find((part): part is Suggestion => part instanceof Suggestion);
}
