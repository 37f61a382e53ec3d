/** What must be known of the command line before oclif parses it. Pure. */

/**
 * Gives `--dry-run` without a value its meaning `--dry-run=client`, as kubectl does: oclif has no flags with optional
 * values. Words after `--` are left alone.
 */
export function normalizeArgv(argv: readonly string[]): string[] {
  const end = endOfFlags(argv);
  return argv.map((word, index) => (index < end && word === '--dry-run' ? '--dry-run=client' : word));
}

/** `help COMMAND` as `COMMAND --help`, as kubectl and git have it. */
export function helpArgv(argv: readonly string[]): readonly string[] {
  return argv[0] === 'help' ? [...argv.slice(1), '--help'] : argv;
}

/**
 * Whether the answer is wanted as JSON (`--json`, `-o json`, `-ojson`, `-o=json`, `--output json`, `--output=json`), so
 * that an error in the command line itself is JSON too. `--json` wins over any `-o`, as it does for answers; of several
 * `-o` the last.
 */
export function wantsJson(argv: readonly string[]): boolean {
  const words = argv.slice(0, endOfFlags(argv));
  if (words.includes('--json')) return true;
  return words.reduce((wanted, word, index) => {
    if (word === '-o' || word === '--output') return words[index + 1] === 'json';
    const attached = /^(?:--output=|-o=?)(.+)$/.exec(word);
    return attached ? attached[1] === 'json' : wanted;
  }, false);
}

function endOfFlags(argv: readonly string[]): number {
  const end = argv.indexOf('--');
  return end === -1 ? argv.length : end;
}
