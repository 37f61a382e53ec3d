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

/** Flag of commands whose text output summarizes passing checks. */
export const verboseFlags = {
  verbose: Flags.boolean({
    char: 'v',
    description: 'print all checks, including those that pass',
    helpGroup: 'GLOBAL',
  }),
};

/** Writes the result to a file instead of standard output. */
export const outputFileFlags = {
  'output-file': Flags.string({
    helpValue: 'FILE',
    description: 'write the result atomically to this file instead of standard output',
    helpGroup: 'GLOBAL',
  }),
};
