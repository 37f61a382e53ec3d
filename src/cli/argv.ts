/** What is read from the command line before oclif parses it. Pure. */

/**
 * Expands `--dry-run` without a value to `--dry-run=client`, as kubectl does: oclif has no flags with optional values.
 * Arguments after `--` are not changed.
 */
export function normalizeArgv(argv: readonly string[]): string[] {
  const end = endOfFlags(argv);
  return argv.map((word, index) => (index < end && word === '--dry-run' ? '--dry-run=client' : word));
}

/** Turns `help COMMAND` into `COMMAND --help`, as in kubectl. */
export function helpArgv(argv: readonly string[]): readonly string[] {
  return argv[0] === 'help' ? [...argv.slice(1), '--help'] : argv;
}

/**
 * Whether JSON output is requested (`--json`, `-o json`, `-ojson`, `-o=json`, `--output json`, `--output=json`): errors
 * in the command line are then printed as JSON, too. `--json` takes precedence over `-o`, as it does for results;
 * the last of several `-o` applies.
 */
export function wantsJson(argv: readonly string[]): boolean {
  const words = argv.slice(0, endOfFlags(argv));
  if (words.includes('--json')) return true;
  return words.reduce((json, word, index) => {
    if (word === '-o' || word === '--output') return words[index + 1] === 'json';
    const attached = /^(?:--output=|-o=?)(.+)$/.exec(word);
    return attached ? attached[1] === 'json' : json;
  }, false);
}

function endOfFlags(argv: readonly string[]): number {
  const end = argv.indexOf('--');
  return end === -1 ? argv.length : end;
}
