import {Flags} from '@oclif/core';

/** `-o`, with the formats of the command's view, and `--json`. */
export function outputFlags<const Name extends string>(formats: readonly ('text' | 'json' | Name)[]) {
  return {
    output: Flags.option({options: formats})({
      char: 'o',
      default: 'text',
      helpValue: formats.join('|'),
      description: 'output format',
      helpGroup: 'GLOBAL',
    }),
    json: Flags.boolean({description: 'same as -o json', helpGroup: 'GLOBAL', exclusive: []}),
  };
}

/** Writes the result to a file instead of standard output. */
export const outputFileFlags = {
  'output-file': Flags.string({
    helpValue: 'FILE',
    description: 'write the result to this file, atomically, instead of standard output',
    helpGroup: 'GLOBAL',
  }),
};
