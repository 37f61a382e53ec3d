import {Flags} from '@oclif/core';

/** `-o` and `--json`, offering what the command's view offers. */
export function outputFlags<const Name extends string>(formats: readonly ('text' | 'json' | Name)[]) {
  return {
    output: Flags.option({options: formats})({
      char: 'o',
      default: 'text',
      helpValue: formats.join('|'),
      description: 'how the result is printed',
      helpGroup: 'GLOBAL',
    }),
    json: Flags.boolean({description: 'the same as -o json', helpGroup: 'GLOBAL', exclusive: []}),
  };
}

/** Flag of commands whose text summarizes what passes. */
export const verboseFlags = {
  verbose: Flags.boolean({
    char: 'v',
    description: 'print every check, not only those that do not pass',
    helpGroup: 'GLOBAL',
  }),
};

/** Where the result goes instead of standard output. */
export const outputFileFlags = {
  'output-file': Flags.string({
    helpValue: 'FILE',
    description: 'write the result into this file, whole or not at all, instead of printing it',
    helpGroup: 'GLOBAL',
  }),
};
