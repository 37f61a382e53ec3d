/**
 * A command that the user may run next, as a value. Nothing in it is quoted, and it contains none of the current run's
 * flags: `src/cli/suggest` adds the flags and quotes all words when it prints the value.
 */
import {type MeshCommand, meshCommands} from './mesh-commands.js';

/** The purpose of a command: it fixes a problem, or it only shows information about it. */
export type Purpose = 'fix' | 'inspect';

/** Command line tools that access a cluster through a kubeconfig context. */
export type ClusterTool = 'kubectl' | 'istioctl' | 'cmctl';

/** The content of a suggestion. */
export type CommandForm =
  | {readonly kind: 'mesh'; readonly command: MeshCommand; readonly words: readonly Word[]}
  /** No context: the words include one, or the command needs none. */
  | {readonly kind: 'tool'; readonly tool: ClusterTool; readonly context?: string; readonly words: readonly Word[]}
  | {readonly kind: 'program'; readonly program: Word; readonly words: readonly Word[]}
  | {readonly kind: 'shell'; readonly parts: readonly ShellPart[]};

/** A part of a shell command line: literal text, a word to quote, or a command. */
export type ShellPart = ShellText | Word | Suggestion;

/** Shell syntax, which is not quoted. */
export class ShellText {
  constructor(readonly text: string) {}
}

/** A command, or a combination of commands. Use the functions below to create one. */
export class Suggestion {
  constructor(
    readonly form: CommandForm,
    readonly purpose: Purpose,
    /** Whether the command changes the work directory, a cluster or this machine. */
    readonly changes: boolean,
  ) {}
}

/** The context of a command's cluster; printed as `CONTEXT` if unknown. */
export interface ClusterContext {
  readonly context?: string | undefined;
}

/** Suggests `kubectl mesh COMMAND WORDS`. With `--dry-run` the command changes nothing. */
export function kubectlMesh(command: MeshCommand, words: readonly Word[] = []): Suggestion {
  const changes = meshCommands[command].changes && !words.includes('--dry-run');
  return new Suggestion({kind: 'mesh', command, words}, changes ? 'fix' : 'inspect', changes);
}

/** Returns functions that suggest other programs' commands for one purpose. For cluster `any` no context is added. */
function programsFor(purpose: Purpose) {
  const suggest = (form: CommandForm): Suggestion => new Suggestion(form, purpose, purpose === 'fix');
  const tool =
    (name: ClusterTool) =>
    (cluster: ClusterContext | 'any', words: readonly Word[]): Suggestion => {
      const where = cluster === 'any' ? {} : {context: cluster.context ?? 'CONTEXT'};
      return suggest({kind: 'tool', tool: name, ...where, words});
    };
  return {
    kubectl: tool('kubectl'),
    istioctl: tool('istioctl'),
    /** cert-manager's command line. */
    cmctl: tool('cmctl'),
    /** Any other program. */
    run: (program: Word, words: readonly Word[]) => suggest({kind: 'program', program, words}),
  };
}

/** Suggests other programs' commands that change something. */
export const fixWith = programsFor('fix');

/** Suggests other programs' commands that change nothing. */
export const inspectWith = programsFor('inspect');

/** Opens a file of the work directory in the user's editor. */
export function edit(file: WorkDirPath): Suggestion {
  return script('fix')`\${EDITOR:-vi} ${file}`;
}

/** Runs commands in sequence and stops at the first failure. */
export function sequence(...steps: readonly Suggestion[]): Suggestion {
  const [only] = steps;
  return only && steps.length === 1 ? only : combine(joinParts(' && ', steps));
}

/** Runs commands in sequence and ignores failures: `grep` fails if nothing matches. */
export function runAll(...steps: readonly Suggestion[]): Suggestion {
  return combine(joinParts('; ', steps));
}

/** Pipes the output of each command to the next one. */
export function pipe(...steps: readonly Suggestion[]): Suggestion {
  return combine(joinParts(' | ', steps));
}

/** Writes the output of a command to a file of the work directory. */
export function writeTo(file: WorkDirPath, step: Suggestion): Suggestion {
  return script('fix')`${step} > ${file}`;
}

/** Runs a command for each value, with the value in a shell variable. */
export function forEach(
  variable: Variable,
  values: readonly string[],
  step: (variable: Variable) => Suggestion,
): Suggestion {
  return combine(shellLine`for ${variable.name} in ${values}; do ${step(variable)}; done`);
}

/** Runs a command if a file exists in the work directory. */
export function ifExists(file: WorkDirPath, step: Suggestion): Suggestion {
  return combine(shellLine`{ [ ! -e ${file} ] || ${step}; }`);
}

/**
 * Creates a suggestion from shell text with words and commands, for cases that the other functions do not cover. The
 * template's text is printed literally; words are quoted and commands rendered as usual.
 */
export function script(purpose: Purpose): (...line: Parameters<typeof shellLine>) => Suggestion {
  return (...line) => new Suggestion({kind: 'shell', parts: shellLine(...line)}, purpose, purpose === 'fix');
}

/** Returns every command of this program in a suggestion, with its words. */
export function meshCommandsIn({form}: Suggestion): readonly Extract<CommandForm, {readonly kind: 'mesh'}>[] {
  if (form.kind === 'mesh') return [form];
  const parts = form.kind === 'shell' ? form.parts : [];
  return parts.flatMap((part) => (part instanceof Suggestion ? meshCommandsIn(part) : []));
}

/** Creates a shell command line from a template. Items of a list are separated by spaces. */
function shellLine(
  text: TemplateStringsArray,
  ...values: readonly (Word | Suggestion | readonly (Word | Suggestion)[])[]
): readonly ShellPart[] {
  return text.flatMap((literal, index) => [
    new ShellText(literal),
    ...values.slice(index, index + 1).flatMap((value) => joinParts(' ', [value].flat())),
  ]);
}

function joinParts(separator: string, parts: readonly ShellPart[]): readonly ShellPart[] {
  return parts.flatMap((part, index) => (index === 0 ? [part] : [new ShellText(separator), part]));
}

/** Combines commands. The result is a fix if one of them is, and changes something if one of them does. */
function combine(parts: readonly ShellPart[]): Suggestion {
  const steps = parts.filter((part) => part instanceof Suggestion);
  const purpose = steps.some((step) => step.purpose === 'fix') ? 'fix' : 'inspect';
  const changes = steps.some((step) => step.changes);
  return new Suggestion({kind: 'shell', parts}, purpose, changes);
}

/** A path relative to the work directory. It is printed relative to the current directory. */
export class WorkDirPath {
  constructor(readonly path: string) {}
}

/** A path that is printed unchanged: absolute, or relative to the current directory. */
export class FilePath {
  constructor(readonly path: string) {}
}

/** A shell variable with a suffix: `"$ISTIO"/samples`. */
export class Variable {
  constructor(
    readonly name: string,
    readonly rest = '',
  ) {}
}

/** A command substitution, whose output is split into words: `$(…)`. */
export class OutputOf {
  constructor(readonly command: Suggestion) {}
}

/** Names of clusters as arguments: one command for all of them does what a command for each does. */
export class ClusterNames {
  constructor(readonly names: readonly string[]) {}
}

/** One argument, or several if it is a command substitution or names of clusters. */
export type Word = string | WorkDirPath | FilePath | Variable | OutputOf | ClusterNames;

/** Returns a path as a word. It may contain any character. */
export function filePath(path: string): FilePath {
  return new FilePath(path);
}

/** Returns a path in the work directory as a word. */
export function inWorkDir(path: string): WorkDirPath {
  return new WorkDirPath(path);
}

/**
 * Creates words from a template. The template's text is split at spaces, but interpolated strings are not:
 * words`logs ${pod} --tail=20` are three words for any name of a pod. An interpolated string is joined with adjacent text
 * (`deployment/${name}`); paths, variables and lists of words are separate words.
 */
export function words(text: TemplateStringsArray, ...values: readonly (Word | readonly Word[])[]): readonly Word[] {
  const all: Word[] = [];
  // The last word, if more text may be appended to it.
  let open: string | undefined;
  const add = (piece: string): void => {
    if (open !== undefined) all.pop();
    open = (open ?? '') + piece;
    all.push(open);
  };
  for (const [index, part] of text.entries()) {
    for (const [position, piece] of part.split(' ').entries()) {
      if (position > 0) open = undefined;
      if (piece !== '') add(piece);
    }
    const value = values[index];
    if (typeof value === 'string') add(value);
    else if (value !== undefined) {
      all.push(...[value].flat());
      open = undefined;
    }
  }
  return all;
}

/** A hint with commands. Use {@link advice} to create one. */
export class Advice {
  constructor(readonly parts: readonly (string | Suggestion)[]) {}
}

/** What to do next: text, or text with commands. */
export type Hint = string | Advice;

/** Creates a hint with commands: advice`compare them with: ${kubectlMesh('trust diff', [cluster])}`. Hints can be nested. */
export function advice(text: TemplateStringsArray, ...values: readonly (Hint | Suggestion)[]): Advice {
  const parts = text.flatMap((part, index) => [
    part,
    ...values.slice(index, index + 1).flatMap((value) => (value instanceof Advice ? value.parts : [value])),
  ]);
  return new Advice(parts.filter((part) => part !== ''));
}

/** Returns the first command in hints; undefined if they contain only text. */
export function firstCommand(hints: readonly Hint[]): Suggestion | undefined {
  return hints
    .flatMap((hint) => (typeof hint === 'string' ? [] : hint.parts))
    .find((part): part is Suggestion => part instanceof Suggestion);
}
