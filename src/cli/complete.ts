/** Shell completion from the manifest. Pure. */

/** The part of a command's manifest entry that completion reads. */
export interface CompletableCommand {
  readonly summary?: string;
  readonly hidden?: boolean;
  readonly flags: Readonly<Record<string, CompletableFlag>>;
  readonly args?: Readonly<Record<string, {readonly description?: string}>>;
}

interface CompletableFlag {
  readonly type: 'boolean' | 'option';
  readonly char?: string;
  readonly description?: string;
  readonly hidden?: boolean;
  readonly options?: readonly string[];
}

/** Commands by ID (`trust:push`). */
export type CompletableCommands = Readonly<Record<string, CompletableCommand>>;

/**
 * Cobra's completion directives, which kubectl reads from the last line (spf13/cobra completions.go): 0 lets the shell
 * complete file names, 4 prevents it.
 */
const directive = {fileNames: 0, noFileNames: 4} as const;

/**
 * The completions in kubectl's format: one candidate per line, a tab and its description, then `:` and the directive.
 * `words` are the words after `kubectl mesh`; the last one is being typed and may be empty.
 */
export function completions(commands: CompletableCommands, words: readonly string[]): string {
  const typed = words.at(-1) ?? '';
  const before = words.slice(0, -1).filter((word) => !word.startsWith('-'));
  const command = findCommand(commands, before);
  const flag = command && flagBefore(command, words.at(-2));
  if (flag?.type === 'option') {
    const values = (flag.options ?? []).map((value): Completion => [value, '']);
    return format(values, typed, flag.options ? directive.noFileNames : directive.fileNames);
  }
  if (command && typed.startsWith('-')) return format(flagCandidates(command), typed, directive.noFileNames);
  // The manifest has no type for file arguments: they are recognized by their description.
  const takesFiles = Object.values(command?.args ?? {}).some(({description}) => /\bfile\b/.test(description ?? ''));
  return format(nextWords(commands, before), typed, takesFiles ? directive.fileNames : directive.noFileNames);
}

type Completion = readonly [word: string, description: string];

function format(candidates: readonly Completion[], typed: string, code: number): string {
  const lines = candidates
    .filter(([word]) => word.startsWith(typed))
    .map(([word, description]) => (description === '' ? word : `${word}\t${description}`));
  return [...lines, `:${String(code)}`].join('\n');
}

/** The longest command that the typed words begin with; the remaining words are its arguments. */
function findCommand(commands: CompletableCommands, words: readonly string[]): CompletableCommand | undefined {
  const ids = words.map((_, index) => words.slice(0, index + 1).join(':'));
  return commands[ids.findLast((id) => commands[id]) ?? ''];
}

function flagBefore(command: CompletableCommand, word: string | undefined): CompletableFlag | undefined {
  if (word === undefined) return undefined;
  return Object.entries(command.flags).find(
    ([name, flag]) => word === `--${name}` || (flag.char !== undefined && word === `-${flag.char}`),
  )?.[1];
}

function flagCandidates(command: CompletableCommand): readonly Completion[] {
  return Object.entries(command.flags)
    .filter(([, flag]) => flag.hidden !== true)
    .map(([name, flag]) => [`--${name}`, flag.description ?? '']);
}

/** Topics and commands that can follow. */
function nextWords(commands: CompletableCommands, before: readonly string[]): readonly Completion[] {
  const found = new Map<string, string>();
  for (const [id, command] of Object.entries(commands)) {
    const words = id.split(':');
    const next = words[before.length];
    if (command.hidden === true || next === undefined || !before.every((word, index) => words[index] === word))
      continue;
    const isCommand = words.length === before.length + 1;
    if (isCommand || !found.has(next)) found.set(next, isCommand ? (command.summary ?? '') : '');
  }
  return [...found];
}
