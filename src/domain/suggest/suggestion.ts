/**
 * A command that a person may run next, as a value. Nothing in it is quoted, and it holds none of the flags with which this
 * run was started: `src/cli/suggest` adds the flags and quotes everything when it prints the value.
 */
import {type MeshCommand, meshCommands} from './mesh-commands.js';

/** What a command is for: it changes something so that all is well, or it only shows a person where to look. */
export type Purpose = 'fix' | 'look';

/** Command line tools that reach a cluster by a context of the kubeconfig. */
export type ClusterTool = 'kubectl' | 'istioctl' | 'cmctl';

/** The parts of a suggestion. */
export type CommandForm =
  | {readonly kind: 'mesh'; readonly command: MeshCommand; readonly words: readonly Word[]}
  /** Without a context: the words name one, or none is needed. */
  | {readonly kind: 'tool'; readonly tool: ClusterTool; readonly context?: string; readonly words: readonly Word[]}
  | {readonly kind: 'program'; readonly program: Word; readonly words: readonly Word[]}
  | {readonly kind: 'shell'; readonly parts: readonly ShellPart[]};

/** Of a line of shell: text as it stands, a word to quote, or a command. */
export type ShellPart = ShellText | Word | Suggestion;

/** Shell syntax, not quoted. */
export class ShellText {
  constructor(readonly text: string) {}
}

/** A command, or several that belong together. Made by the functions below. */
export class Suggestion {
  constructor(
    readonly form: CommandForm,
    readonly purpose: Purpose,
    /** Whether anything is different afterwards: in the work directory, in a cluster, on this machine. */
    readonly changes: boolean,
  ) {}
}

/** The cluster that a command is about: its context; `CONTEXT` stands there where none is known. */
export interface ClusterContext {
  readonly context?: string | undefined;
}

/** `kubectl mesh COMMAND WORDS`. With `--dry-run` it only shows. */
export function kubectlMesh(command: MeshCommand, words: readonly Word[] = []): Suggestion {
  const changes = meshCommands[command].changes && !words.includes('--dry-run');
  return new Suggestion({kind: 'mesh', command, words}, changes ? 'fix' : 'look', changes);
}

/** Commands of other programs, for one purpose. `any` cluster: no context is added. */
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

/** Commands of other programs that change something. */
export const fixWith = programsFor('fix');

/** Commands of other programs that change nothing. */
export const inspectWith = programsFor('look');

/** Opens a file of the work directory in the person's editor. */
export function edit(file: WorkDirPath): Suggestion {
  return script('fix')`\${EDITOR:-vi} ${file}`;
}

/** One after the other, as long as each succeeds. */
export function sequence(...steps: readonly Suggestion[]): Suggestion {
  const [only] = steps;
  return only && steps.length === 1 ? only : combine(joinParts(' && ', steps));
}

/** One after the other, whatever becomes of each: `grep` fails where it finds nothing. */
export function runAll(...steps: readonly Suggestion[]): Suggestion {
  return combine(joinParts('; ', steps));
}

/** The output of each is the input of the next. */
export function pipe(...steps: readonly Suggestion[]): Suggestion {
  return combine(joinParts(' | ', steps));
}

/** Writes the output of a command to a file of the work directory. */
export function writeTo(file: WorkDirPath, step: Suggestion): Suggestion {
  return script('fix')`${step} > ${file}`;
}

/** The same command for each value; `step` is given the variable that stands for the value. */
export function forEach(
  variable: Variable,
  values: readonly string[],
  step: (variable: Variable) => Suggestion,
): Suggestion {
  return combine(shellLine`for ${variable.name} in ${values}; do ${step(variable)}; done`);
}

/** A command for a file of the work directory that may be missing. */
export function ifExists(file: WorkDirPath, step: Suggestion): Suggestion {
  return combine(shellLine`{ [ ! -e ${file} ] || ${step}; }`);
}

/**
 * Shell text with words and commands in it, for what none of the other forms can express. The text of the template is
 * printed as it stands; words are quoted and commands rendered as everywhere else.
 */
export function script(purpose: Purpose): (...line: Parameters<typeof shellLine>) => Suggestion {
  return (...line) => new Suggestion({kind: 'shell', parts: shellLine(...line)}, purpose, purpose === 'fix');
}

/** Every command of this program in a suggestion, with its words. */
export function meshCommandsIn({form}: Suggestion): readonly Extract<CommandForm, {readonly kind: 'mesh'}>[] {
  if (form.kind === 'mesh') return [form];
  const parts = form.kind === 'shell' ? form.parts : [];
  return parts.flatMap((part) => (part instanceof Suggestion ? meshCommandsIn(part) : []));
}

/** A line of shell from a template; a list in it has spaces between its parts. */
function shellLine(
  text: TemplateStringsArray,
  ...values: readonly (Word | Suggestion | readonly (Word | Suggestion)[])[]
): readonly ShellPart[] {
  return text.flatMap((own, index) => [
    new ShellText(own),
    ...values.slice(index, index + 1).flatMap((value) => joinParts(' ', [value].flat())),
  ]);
}

function joinParts(separator: string, parts: readonly ShellPart[]): readonly ShellPart[] {
  return parts.flatMap((part, index) => (index === 0 ? [part] : [new ShellText(separator), part]));
}

/** A fix, which changes something where one of its commands does. */
function combine(parts: readonly ShellPart[]): Suggestion {
  const steps = parts.filter((part) => part instanceof Suggestion);
  const purpose = steps.some((step) => step.purpose === 'fix') ? 'fix' : 'look';
  const changes = steps.some((step) => step.changes);
  return new Suggestion({kind: 'shell', parts}, purpose, changes);
}

/** A path relative to the work directory. It is printed relative to where the command is typed. */
export class WorkDirPath {
  constructor(readonly path: string) {}
}

/** A path that is printed as it is: absolute, or relative to where the command is typed. */
export class FilePath {
  constructor(readonly path: string) {}
}

/** A shell variable, with text behind its value: `"$ISTIO"/samples`. */
export class Variable {
  constructor(
    readonly name: string,
    readonly rest = '',
  ) {}
}

/** The output of a command, split into words: `$(…)`. */
export class OutputOf {
  constructor(readonly command: Suggestion) {}
}

/** One argument; the output of a command can be several. */
export type Word = string | WorkDirPath | FilePath | Variable | OutputOf;

/** A path that may have any character in it, as a word. */
export function filePath(path: string): FilePath {
  return new FilePath(path);
}

/** A file or folder of the work directory, as a word. */
export function inWorkDir(path: string): WorkDirPath {
  return new WorkDirPath(path);
}

/**
 * Words from a template: its text is split at spaces, an interpolated text never is: words`logs ${pod} --tail=20` are three
 * words whatever the pod is called. Interpolated text joins the text beside it (`deployment/${name}`); a path, a variable
 * or a list of words stands by itself.
 */
export function words(text: TemplateStringsArray, ...values: readonly (Word | readonly Word[])[]): readonly Word[] {
  const all: Word[] = [];
  // The text of a word to which more may be added.
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
