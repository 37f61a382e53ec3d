/** The words of a suggested command: unquoted, each what the program receives as one argument. */
import type {Suggestion} from './suggestion.js';

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
