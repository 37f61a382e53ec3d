/**
 * Reads mesh.yaml and contexts.yaml. Every problem has file, line, column, field and what is allowed, and all problems
 * are told, not only the first.
 */
import {plural} from '../format.js';
import {
  type Document,
  isCollection,
  isMap,
  isNode,
  isPair,
  isScalar,
  LineCounter,
  parseDocument,
  visit,
  type YAMLError,
} from 'yaml';
import type * as z from 'zod';
import {MeshError, type ErrorCode} from '../errors.js';
import {nearest} from '../nearest.js';
import {printableLine} from '../printable.js';
import {layout} from './layout.js';
import {type BrokenRule, type FieldPath, brokenContextRules, brokenRules} from './rules.js';
import {type ContextsFile, type MeshFile, contextsFileSchema, meshFileSchema} from './schema.js';

/** One thing wrong with a YAML file. */
export interface FileProblem {
  /** As the user knows it: `mesh.yaml`. */
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** From 1. */
  readonly column: number;
  /** `clusters[0].network`; empty for the file as a whole. */
  readonly field: string;
  /** What is wrong and what is allowed, without the field's name. */
  readonly message: string;
}

/** A mesh of a thousand clusters has a tenth of this; reading ten times as much takes all memory. Characters. */
const longestFile = 1024 * 1024;

/** Levels of lists and maps in each other: ours has six, overlays of Istio's values a dozen. */
const deepest = 100;

/** How many problems are told: more than anybody mends before looking again. */
const mostProblems = 20;

/** What a file says, or everything that is wrong with it. */
export type FileReading<T> = {readonly value: T} | {readonly problems: readonly FileProblem[]};

/** One of the two files. */
interface Kind<T> {
  readonly file: string;
  readonly code: ErrorCode;
  readonly schema: z.ZodType<T>;
  readonly rules: (value: T) => readonly BrokenRule[];
}

const meshKind: Kind<MeshFile> = {
  file: layout.meshYaml,
  code: 'MESH_YAML_INVALID',
  schema: meshFileSchema,
  rules: brokenRules,
};

const contextsKind: Kind<ContextsFile> = {
  file: layout.contextsYaml,
  code: 'CONTEXTS_YAML_INVALID',
  schema: contextsFileSchema,
  rules: brokenContextRules,
};

/** Reads mesh.yaml's text; never throws. */
export function checkMeshFile(text: string): FileReading<MeshFile> {
  return checkFile(text, meshKind);
}

/** What mesh.yaml says. Throws `MESH_YAML_INVALID` with all problems in the message. */
export function parseMeshFile(text: string): MeshFile {
  return valueOf(checkMeshFile(text), meshKind);
}

/** Reads contexts.yaml's text; an empty file maps nothing. Never throws. */
export function checkContextsFile(text: string): FileReading<ContextsFile> {
  return text.replace(/^\s*#.*$/gm, '').trim() === '' ? {value: {}} : checkFile(text, contextsKind);
}

/** What contexts.yaml says. Throws `CONTEXTS_YAML_INVALID` with all problems in the message. */
export function parseContextsFile(text: string): ContextsFile {
  return valueOf(checkContextsFile(text), contextsKind);
}

/** `mesh.yaml:7:12: clusters[0].network must be …` */
export function renderProblem({file, line, column, field, message}: FileProblem): string {
  return `${file}:${String(line)}:${String(column)}: ${field === '' ? '' : `${field} `}${message}`;
}

function valueOf<T>(reading: FileReading<T>, {code, file}: Kind<T>): T {
  if ('value' in reading) return reading.value;
  const {problems} = reading;
  const count = plural(problems.length, 'problem');
  const lines = problems.map((problem) => `  ${renderProblem(problem)}`);
  throw new MeshError(code, [`${file} has ${count}:`, ...lines].join('\n'));
}

function checkFile<T>(text: string, kind: Kind<T>): FileReading<T> {
  const reading = readFile(text, kind);
  if ('value' in reading) return reading;
  const problems = reading.problems.toSorted((a, b) => a.line - b.line || a.column - b.column);
  const [next] = problems.slice(mostProblems);
  if (!next) return {problems};
  const left = String(problems.length - mostProblems);
  return {
    problems: [...problems.slice(0, mostProblems), {...next, field: '', message: `and so on: ${left} more problems`}],
  };
}

function readFile<T>(text: string, {file, schema, rules}: Kind<T>): FileReading<T> {
  const problemOf = (line: number, message: string) => ({problems: [{file, line, column: 1, field: '', message}]});
  if (text.length > longestFile) {
    const [length, most] = [String(text.length), String(longestFile)];
    return problemOf(1, `is not a declaration: it has ${length} characters, at most ${most} are read`);
  }
  const deep = tooDeep(text);
  if (deep !== undefined) return problemOf(deep, 'is nested deeper than any declaration');
  const source = new Source(text, file);
  const syntax = source.syntaxProblems();
  const duplicates = syntax.map(({problem}) => problem);
  // A file that is no YAML has no fields to judge; one that only sets a field twice has.
  if (syntax.some(({fatal}) => fatal)) return {problems: duplicates};
  const plain = source.toPlain();
  if ('problem' in plain) return {problems: [...duplicates, plain.problem]};
  const {success, data, error} = schema.safeParse(plain.value);
  const broken = success
    ? rules(data).map(({path, message}) => source.problem(path, message))
    : schemaProblems(source, error.issues);
  return success && broken.length + duplicates.length === 0 ? {value: data} : {problems: [...duplicates, ...broken]};
}

/**
 * The first line, from 1, that is nested too deeply. The YAML library reads nested nodes by recursion, and Node dies
 * without an exception when a regular expression is compiled at the end of the stack. Brackets in texts count too:
 * nobody writes that many of them.
 */
function tooDeep(text: string): number | undefined {
  let brackets = 0;
  for (const [index, line] of text.split('\n').entries()) {
    for (const character of line.match(/[[\]{}]/g) ?? []) {
      brackets = Math.max(0, brackets + ('[{'.includes(character) ? 1 : -1));
      if (brackets > deepest) return index + 1;
    }
    if ((/^(?: |[-?] )*/.exec(line)?.[0].length ?? 0) > 2 * deepest) return index + 1;
  }
  return undefined;
}

/** `clusters[0].network` */
function renderPath(path: FieldPath): string {
  return path.reduce<string>(
    (text, part) => (typeof part === 'number' ? `${text}[${String(part)}]` : text === '' ? part : `${text}.${part}`),
    '',
  );
}

/** A YAML text with the positions of its fields. */
class Source {
  readonly #lines = new LineCounter();
  readonly #document: Document.Parsed;

  constructor(
    readonly text: string,
    readonly file: string,
  ) {
    this.#document = parseDocument(text, {lineCounter: this.#lines, prettyErrors: false, logLevel: 'error'});
  }

  syntaxProblems(): readonly {readonly fatal: boolean; readonly problem: FileProblem}[] {
    const {errors, warnings} = this.#document;
    const seen = new Set<number>();
    return [...errors, ...warnings].flatMap((error) => {
      // One slip often gives several errors at one place: the first is the cause.
      if (seen.has(error.pos[0])) return [];
      seen.add(error.pos[0]);
      const fatal = error.code !== 'DUPLICATE_KEY';
      const field = fatal ? '' : this.#fieldAt(error.pos[0]);
      return [{fatal, problem: this.#at(error.pos[0], field, this.#explain(error))}];
    });
  }

  /** The file as plain values; aliases that multiply without end are refused by the YAML library. */
  toPlain(): {readonly value: unknown} | {readonly problem: FileProblem} {
    try {
      return {value: this.#document.toJS()};
    } catch (error) {
      return {problem: this.#at(this.#unresolved(), '', error instanceof Error ? error.message : String(error))};
    }
  }

  /** Where the first alias without an anchor stands; the start when there is none. */
  #unresolved(): number {
    let at = 0;
    visit(this.#document, {
      Alias: (_key, alias) => {
        if (alias.resolve(this.#document) !== undefined) return undefined;
        at = alias.range?.[0] ?? 0;
        return visit.BREAK;
      },
    });
    return at;
  }

  /** What is wrong with the value at a path: the rule, and how it was written, when that is not what it looks like. */
  explainValue(path: FieldPath, rule: string): string {
    if (path.length === 0 && this.#document.contents === null) return `the file is empty: it ${rule}`;
    if (path.length > 0 && !this.#document.hasIn(path)) return `is missing: it ${rule}`;
    // "true" in quotes, where true is meant: nothing here should be quoted.
    if (rule === 'must be true or false') return `${rule}, without quotes`;
    const node: unknown = this.#document.getIn(path, true);
    if (isCollection(node)) return `${rule}; it is a ${isMap(node) ? 'map' : 'list'} here`;
    if (!isScalar(node)) return rule;
    const written = printableLine(node.source ?? String(node.value));
    if (node.value === null) return `${rule}; it is empty here`;
    if (typeof node.value === 'number') return `${rule}; ${written} is a number here, write "${written}"`;
    if (typeof node.value === 'boolean') return `${rule}; ${written} is true or false here, write "${written}"`;
    return `${rule}; ${JSON.stringify(written)} is not`;
  }

  /** A problem at a field's value, or where its nearest parent starts when it is not there. */
  problem(path: FieldPath, message: string): FileProblem {
    return this.#at(this.#offset(path), renderPath(path), message);
  }

  /** A problem at a field's name. */
  keyProblem(path: FieldPath, message: string): FileProblem {
    const parent: unknown = this.#document.getIn(path.slice(0, -1), true);
    const key = path.at(-1);
    const pair = isMap(parent) ? parent.items.find((item) => keyText(item.key) === String(key)) : undefined;
    const offset = isNode(pair?.key) ? pair.key.range?.[0] : undefined;
    return this.#at(offset ?? this.#offset(path), renderPath(path), message);
  }

  #offset(path: FieldPath): number {
    for (let length = path.length; length > 0; length--) {
      const node: unknown = this.#document.getIn(path.slice(0, length), true);
      if (isNode(node) && node.range) return node.range[0];
    }
    return this.#document.contents?.range[0] ?? 0;
  }

  #at(offset: number, field: string, message: string): FileProblem {
    const {line, col} = this.#lines.linePos(offset);
    return {file: this.file, line: Math.max(line, 1), column: Math.max(col, 1), field, message};
  }

  /** The field whose name starts at an offset. */
  #fieldAt(offset: number): string {
    const find = (node: unknown, path: FieldPath): string | undefined => {
      if (!isCollection(node)) return undefined;
      for (const [index, item] of node.items.entries()) {
        const pair = isPair(item) ? item : undefined;
        const here = [...path, pair ? keyText(pair.key) : index];
        if (isNode(pair?.key) && pair.key.range?.[0] === offset) return renderPath(here);
        const found = find(pair ? pair.value : item, here);
        if (found !== undefined) return found;
      }
      return undefined;
    };
    return find(this.#document.contents, []) ?? '';
  }

  #explain({code, pos: [offset], message}: YAMLError): string {
    const indent = this.text.slice(this.text.lastIndexOf('\n', offset - 1) + 1);
    const rest = /^ *\t/.test(indent) ? syntaxRules.TAB_AS_INDENT : printableLine(message);
    return syntaxRules[code] ?? `not YAML: ${rest}`;
  }
}

const syntaxRules: Partial<Record<YAMLError['code'], string>> & {readonly TAB_AS_INDENT: string} = {
  DUPLICATE_KEY: 'is set twice: take one away',
  TAB_AS_INDENT: 'a tab: YAML is indented with spaces only',
  MULTIPLE_DOCS: 'a second document: take away "---" and what follows',
};

function keyText(key: unknown): string {
  return isScalar(key) ? String(key.value) : String(key);
}

function schemaProblems(source: Source, issues: readonly z.core.$ZodIssue[]): readonly FileProblem[] {
  return issues.flatMap((issue) => {
    const path = issue.path.map((part) => (typeof part === 'symbol' ? String(part) : part));
    switch (issue.code) {
      case 'unrecognized_keys':
        // Fields of a kind that this version does not know are no typing errors: its `type` is reported already.
        if (issues.some((other) => other.path.length === path.length + 1 && other.path.at(-1) === 'type')) return [];
        return issue.keys.map((key) => source.keyProblem([...path, key], unknownField(key, issue.message)));
      case 'invalid_key':
        return [source.keyProblem(path, issue.issues[0]?.message ?? issue.message)];
      default:
        return [source.problem(path, source.explainValue(path, issue.message))];
    }
  });
}

/** `allowed`: what `kind` of fields.ts says. */
function unknownField(key: string, allowed: string): string {
  const meant = nearest(key, allowed.split(', '));
  return `is not a field of mesh.yaml${meant === undefined ? '' : `: did you mean ${meant}?`} (allowed here: ${allowed})`;
}
