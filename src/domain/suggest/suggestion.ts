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
export type Form =
  | {readonly kind: 'mesh'; readonly command: MeshCommand; readonly words: readonly Word[]}
  /** Without a context: the words name one, or none is needed. */
  | {readonly kind: 'tool'; readonly tool: ClusterTool; readonly context?: string; readonly words: readonly Word[]}
  | {readonly kind: 'program'; readonly program: Word; readonly words: readonly Word[]}
  /** The person's editor. */
  | {readonly kind: 'edit'; readonly file: WorkDirPath}
  /** `&&`: each step if the one before it succeeded. `;`: each step in any case. */
  | {readonly kind: 'sequence'; readonly separator: '&&' | ';'; readonly steps: readonly Suggestion[]}
  | {readonly kind: 'pipe'; readonly steps: readonly Suggestion[]}
  | {readonly kind: 'write'; readonly step: Suggestion; readonly file: WorkDirPath}
  | {
      readonly kind: 'for each';
      readonly variable: Variable;
      readonly values: readonly string[];
      readonly step: Suggestion;
    }
  | {readonly kind: 'if exists'; readonly file: WorkDirPath; readonly step: Suggestion}
  | {readonly kind: 'script'; readonly parts: readonly ScriptPart[]};

/** Of a script: shell text as it stands, or words to quote and commands, with a space between them. */
export type ScriptPart = {readonly shell: string} | {readonly items: readonly (Word | Suggestion)[]};

/** A command, or several that belong together. Made by the functions below. */
export class Suggestion {
  constructor(
    readonly form: Form,
    readonly purpose: Purpose,
    /** Whether anything is different afterwards: in the work directory, in a cluster, on this machine. */
    readonly changes: boolean,
  ) {}
}

/** The cluster that a command is about: its context; `CONTEXT` stands there where none is known. */
export interface OfCluster {
  readonly context?: string | undefined;
}

/** `kubectl mesh COMMAND WORDS`. With `--dry-run` it only shows. */
export function kubectlMesh(command: MeshCommand, words: readonly Word[] = []): Suggestion {
  const changes = meshCommands[command].changes && !words.includes('--dry-run');
  return new Suggestion({kind: 'mesh', command, words}, changes ? 'fix' : 'look', changes);
}

/** Commands of other programs, for one purpose. */
interface OtherPrograms {
  /** `kubectl --context CONTEXT WORDS`; `any`: no context is added. */
  readonly kubectl: (cluster: OfCluster | 'any', words: readonly Word[]) => Suggestion;
  readonly istioctl: (cluster: OfCluster | 'any', words: readonly Word[]) => Suggestion;
  /** cert-manager's command line. */
  readonly cmctl: (cluster: OfCluster | 'any', words: readonly Word[]) => Suggestion;
  /** Any other program. */
  readonly run: (program: Word, words: readonly Word[]) => Suggestion;
}

function programsFor(purpose: Purpose): OtherPrograms {
  const changes = purpose === 'fix';
  const tool =
    (name: ClusterTool) =>
    (cluster: OfCluster | 'any', words: readonly Word[]): Suggestion => {
      const where = cluster === 'any' ? {} : {context: cluster.context ?? 'CONTEXT'};
      return new Suggestion({kind: 'tool', tool: name, ...where, words}, purpose, changes);
    };
  return {
    kubectl: tool('kubectl'),
    istioctl: tool('istioctl'),
    cmctl: tool('cmctl'),
    run: (program, words) => new Suggestion({kind: 'program', program, words}, purpose, changes),
  };
}

/** Commands of other programs that change something. */
export const fixWith = programsFor('fix');

/** Commands of other programs that change nothing. */
export const lookWith = programsFor('look');

/** Opens a file of the work directory in the person's editor. */
export function edit(file: WorkDirPath): Suggestion {
  return new Suggestion({kind: 'edit', file}, 'fix', true);
}

/** One after the other, as long as each succeeds. */
export function sequence(...steps: readonly Suggestion[]): Suggestion {
  const [only] = steps;
  return only && steps.length === 1 ? only : combined({kind: 'sequence', separator: '&&', steps}, steps);
}

/** One after the other, whatever becomes of each: `grep` fails where it finds nothing. */
export function inAnyCase(...steps: readonly Suggestion[]): Suggestion {
  return combined({kind: 'sequence', separator: ';', steps}, steps);
}

/** The output of each is the input of the next. */
export function pipe(...steps: readonly Suggestion[]): Suggestion {
  return combined({kind: 'pipe', steps}, steps);
}

/** Writes the output of a command to a file of the work directory. */
export function writeTo(file: WorkDirPath, step: Suggestion): Suggestion {
  return new Suggestion({kind: 'write', step, file}, 'fix', true);
}

/** The same command for each value; `step` is given the variable that stands for the value. */
export function forEach(
  variable: Variable,
  values: readonly string[],
  step: (variable: Variable) => Suggestion,
): Suggestion {
  const one = step(variable);
  return combined({kind: 'for each', variable, values, step: one}, [one]);
}

/** A command for a file of the work directory that may be missing. */
export function ifExists(file: WorkDirPath, step: Suggestion): Suggestion {
  return combined({kind: 'if exists', file, step}, [step]);
}

/**
 * Shell text with words and commands in it, for what none of the other forms can express. The text of the template is
 * printed as it stands; words are quoted and commands rendered as everywhere else.
 */
export function script(
  purpose: Purpose,
): (
  text: TemplateStringsArray,
  ...values: readonly (Word | Suggestion | readonly (Word | Suggestion)[])[]
) => Suggestion {
  return (text, ...values) => {
    const parts = text.flatMap((shell, index): readonly ScriptPart[] => [
      {shell},
      ...values.slice(index, index + 1).map((value): ScriptPart => ({items: [value].flat()})),
    ]);
    return new Suggestion({kind: 'script', parts}, purpose, purpose === 'fix');
  };
}

/** Every command of this program in a suggestion, with its words. */
export function meshCommandsIn({form}: Suggestion): readonly Extract<Form, {readonly kind: 'mesh'}>[] {
  switch (form.kind) {
    case 'mesh':
      return [form];
    case 'tool':
    case 'program':
    case 'edit':
      return [];
    case 'sequence':
    case 'pipe':
      return form.steps.flatMap(meshCommandsIn);
    case 'write':
    case 'for each':
    case 'if exists':
      return meshCommandsIn(form.step);
    case 'script':
      return form.parts.flatMap((part) =>
        'items' in part ? part.items.flatMap((item) => (item instanceof Suggestion ? meshCommandsIn(item) : [])) : [],
      );
  }
}

function combined(form: Form, steps: readonly Suggestion[]): Suggestion {
  const isFix = steps.some(({purpose}) => purpose === 'fix');
  return new Suggestion(
    form,
    isFix ? 'fix' : 'look',
    steps.some(({changes}) => changes),
  );
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
  let open: string | undefined;
  const close = (): void => {
    if (open !== undefined) all.push(open);
    open = undefined;
  };
  text.forEach((part, index) => {
    part.split(' ').forEach((piece, position) => {
      if (position > 0) close();
      if (piece !== '') open = (open ?? '') + piece;
    });
    const value = values[index];
    if (value === undefined) return;
    if (typeof value === 'string') {
      open = (open ?? '') + value;
      return;
    }
    close();
    if (Array.isArray(value)) all.push(...(value as readonly Word[]));
    else all.push(value as Word);
  });
  close();
  return all;
}
