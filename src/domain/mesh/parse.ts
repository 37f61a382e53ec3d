/**
 * Reads mesh.yaml and contexts.yaml. Reports all problems, not only the first, each with file, line, column, field and the
 * allowed values.
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
import {plainValue} from '../plain-value.js';
import type * as z from 'zod';
import {MeshError, type ErrorCode} from '../errors.js';
import {LatestResults} from '../memoize.js';
import {nearest} from '../nearest.js';
import {printableLine} from '../printable.js';
import {layout} from './layout.js';
import {type RuleViolation, type FieldPath, contextRuleViolations, ruleViolations} from './rules.js';
import {type ContextsFile, type MeshFile, contextsFileSchema, meshFileSchema} from './schema.js';

/** A problem in a YAML file. */
export interface FileProblem {
  /** The file's name for messages: `mesh.yaml`. */
  readonly file: string;
  /** Starts at 1. */
  readonly line: number;
  /** Starts at 1. */
  readonly column: number;
  /** `clusters[0].network`; empty for the whole file. */
  readonly field: string;
  /** The problem and the allowed values, without the field's name. */
  readonly message: string;
}

/** The maximum length of a file in characters. 1,000 clusters need a tenth of it; ten times as much exhausts the memory. */
const maxFileLength = 1024 * 1024;

/** The maximum nesting of lists and maps: mesh.yaml has six levels, overlays of Istio's values a dozen. */
const maxDepth = 100;

/** The maximum number of reported problems. */
const maxProblems = 20;

/** A file's value, or its problems. */
export type FileReading<T> = {readonly value: T} | {readonly problems: readonly FileProblem[]};

/** One of the two kinds of files. */
interface FileKind<T> {
  readonly file: string;
  readonly code: ErrorCode;
  readonly schema: z.ZodType<T>;
  readonly rules: (value: T) => readonly RuleViolation[];
}

const meshFileKind: FileKind<MeshFile> = {
  file: layout.meshYaml,
  code: 'MESH_YAML_INVALID',
  schema: meshFileSchema,
  rules: ruleViolations,
};

const contextsFileKind: FileKind<ContextsFile> = {
  file: layout.contextsYaml,
  code: 'CONTEXTS_YAML_INVALID',
  schema: contextsFileSchema,
  rules: contextRuleViolations,
};

/** What recent texts of mesh.yaml contain: each phase of a run parses the text again that it has read. Results are read-only. */
const meshFiles = new LatestResults<FileReading<MeshFile>>(8);

/** Parses mesh.yaml. Never throws. */
export function checkMeshFile(text: string): FileReading<MeshFile> {
  return meshFiles.get(text, () => checkFile(text, meshFileKind));
}

/** Parses mesh.yaml. Throws `MESH_YAML_INVALID` with all problems in the message. */
export function parseMeshFile(text: string): MeshFile {
  return valueOf(checkMeshFile(text), meshFileKind);
}

/** Parses contexts.yaml; an empty file is an empty map. Never throws. */
export function checkContextsFile(text: string): FileReading<ContextsFile> {
  return text.replace(/^[ \t]*#.*$/gm, '').trim() === '' ? {value: {}} : checkFile(text, contextsFileKind);
}

/** Parses contexts.yaml. Throws `CONTEXTS_YAML_INVALID` with all problems in the message. */
export function parseContextsFile(text: string): ContextsFile {
  return valueOf(checkContextsFile(text), contextsFileKind);
}

/** Formats a problem: `mesh.yaml:7:12: clusters[0].network must be …` */
export function renderProblem({file, line, column, field, message}: FileProblem): string {
  return `${file}:${String(line)}:${String(column)}: ${field === '' ? '' : `${field} `}${message}`;
}

function valueOf<T>(reading: FileReading<T>, {code, file}: FileKind<T>): T {
  if ('value' in reading) return reading.value;
  const {problems} = reading;
  const count = plural(problems.length, 'problem');
  const lines = problems.map((problem) => `  ${renderProblem(problem)}`);
  throw new MeshError(code, [`${file} has ${count}:`, ...lines].join('\n'));
}

function checkFile<T>(text: string, kind: FileKind<T>): FileReading<T> {
  const reading = readFile(text, kind);
  if ('value' in reading) return reading;
  const problems = reading.problems.toSorted((a, b) => a.line - b.line || a.column - b.column);
  const [next] = problems.slice(maxProblems);
  if (!next) return {problems};
  const left = String(problems.length - maxProblems);
  return {
    problems: [...problems.slice(0, maxProblems), {...next, field: '', message: `${left} more problems`}],
  };
}

function readFile<T>(text: string, {file, schema, rules}: FileKind<T>): FileReading<T> {
  const problemOf = (line: number, message: string) => ({problems: [{file, line, column: 1, field: '', message}]});
  if (text.length > maxFileLength) {
    const [length, most] = [String(text.length), String(maxFileLength)];
    return problemOf(1, `the file is too long: it has ${length} characters, the maximum is ${most}`);
  }
  if (text.includes('\0')) return problemOf(1, 'the file is UTF-16, or binary: YAML must be UTF-8 here');
  const deep = firstTooDeepLine(text);
  if (deep !== undefined) return problemOf(deep, `nested too deeply: the maximum is ${String(maxDepth)} levels`);
  const source = new YamlSource(text, file);
  const syntax = source.syntaxProblems();
  const duplicates = syntax.map(({problem}) => problem);
  // The fields of a file with duplicate keys can be checked; those of a file that is not YAML cannot.
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
 * Returns the first line, from 1, that is nested too deeply. The YAML library parses nested nodes by recursion, and Node
 * crashes without an exception if a regular expression is compiled at the end of the stack. Brackets in strings count too:
 * no valid file has that many.
 */
function firstTooDeepLine(text: string): number | undefined {
  let brackets = 0;
  for (const [index, line] of text.split('\n').entries()) {
    for (const character of line.match(/[[\]{}]/g) ?? []) {
      brackets = Math.max(0, brackets + ('[{'.includes(character) ? 1 : -1));
      if (brackets > maxDepth) return index + 1;
    }
    if ((/^(?: |[-?] )*/.exec(line)?.[0].length ?? 0) > 2 * maxDepth) return index + 1;
  }
  return undefined;
}

/** Formats a path: `clusters[0].network` */
function renderPath(path: FieldPath): string {
  return path.reduce<string>(
    (text, part) => (typeof part === 'number' ? `${text}[${String(part)}]` : text === '' ? part : `${text}.${part}`),
    '',
  );
}

/** A YAML text with the positions of its fields. */
class YamlSource {
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
    const reported = new Set<number>();
    return [...errors, ...warnings].flatMap((error) => {
      // One mistake often causes several errors at one position; the first is the cause.
      if (reported.has(error.pos[0])) return [];
      reported.add(error.pos[0]);
      const fatal = error.code !== 'DUPLICATE_KEY';
      const field = fatal ? '' : this.#fieldAt(error.pos[0]);
      return [{fatal, problem: this.#at(error.pos[0], field, this.#explain(error))}];
    });
  }

  /** Returns the file as plain values. The YAML library rejects exponentially expanding aliases. */
  toPlain(): {readonly value: unknown} | {readonly problem: FileProblem} {
    const {value, problem} = plainValue(this.#document);
    return problem === undefined ? {value} : {problem: this.#at(this.#unresolved(), '', problem)};
  }

  /** Returns the position of the first alias without an anchor; the start if there is none. */
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

  /** Explains what is wrong with the value at a path: the rule and, if helpful, the actual value. */
  explainValue(path: FieldPath, rule: string): string {
    if (path.length === 0 && this.#document.contents === null) return `the file is empty: it ${rule}`;
    if (path.length > 0 && !this.#document.hasIn(path)) return `is missing: it ${rule}`;
    // A quoted "true" is a string.
    if (rule === 'must be true or false') return `${rule}, without quotes`;
    const node: unknown = this.#document.getIn(path, true);
    if (isCollection(node)) return `${rule}; got a ${isMap(node) ? 'map' : 'list'}`;
    if (!isScalar(node)) return rule;
    const written = printableLine(node.source ?? String(node.value));
    if (node.value === null) return `${rule}; it is empty`;
    if (typeof node.value === 'number') return `${rule}; ${written} is a number, write "${written}"`;
    if (typeof node.value === 'boolean') return `${rule}; ${written} is a boolean, write "${written}"`;
    return `${rule}; got ${JSON.stringify(written)}`;
  }

  /** Creates a problem at a field's value or, if it is missing, at the start of its nearest parent. */
  problem(path: FieldPath, message: string): FileProblem {
    return this.#at(this.#offset(path), renderPath(path), message);
  }

  /** Creates a problem at a field's name. */
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

  /** Returns the field whose name starts at an offset. */
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
    return syntaxRules[code] ?? `invalid YAML: ${rest}`;
  }
}

const syntaxRules: Partial<Record<YAMLError['code'], string>> & {readonly TAB_AS_INDENT: string} = {
  DUPLICATE_KEY: 'is set more than once: remove one of them',
  TAB_AS_INDENT: 'tabs are not allowed: use spaces for indentation',
  MULTIPLE_DOCS: 'only one document is allowed: remove "---" and everything after it',
};

function keyText(key: unknown): string {
  return isScalar(key) ? String(key.value) : String(key);
}

function schemaProblems(source: YamlSource, issues: readonly z.core.$ZodIssue[]): readonly FileProblem[] {
  return issues.flatMap((issue) => {
    const path = issue.path.map((part) => (typeof part === 'symbol' ? String(part) : part));
    switch (issue.code) {
      case 'unrecognized_keys':
        // Fields of a kind with an unknown `type` are not reported, because the `type` already is.
        if (issues.some((other) => other.path.length === path.length + 1 && other.path.at(-1) === 'type')) return [];
        return issue.keys.map((key) => source.keyProblem([...path, key], unknownField(key, issue.message)));
      case 'invalid_key':
        return [source.keyProblem(path, issue.issues[0]?.message ?? issue.message)];
      default:
        return [source.problem(path, source.explainValue(path, issue.message))];
    }
  });
}

/** `allowed`: the message of `kind` in fields.ts. */
function unknownField(key: string, allowed: string): string {
  const similar = nearest(key, allowed.split(', '));
  return `is an unknown field${similar === undefined ? '' : `; did you mean ${similar}?`} (allowed here: ${allowed})`;
}
