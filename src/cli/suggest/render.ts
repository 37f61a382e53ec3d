/**
 * Suggested commands as text that can be typed as it is, in the shell this run was started from. The only place that quotes
 * words and that adds the flags of this run.
 */
import type {Hint} from '../../domain/suggest/advice.js';
import {meshCommands, type TargetFlag} from '../../domain/suggest/mesh-commands.js';
import {
  FilePath,
  type Form,
  OutputOf,
  type ScriptPart,
  Suggestion,
  Variable,
  type Word,
  type WorkDirPath,
} from '../../domain/suggest/suggestion.js';
import {shellPath, shellWord} from './shell.js';
import type {TypedTarget} from './typed-target.js';

/** A suggestion as a line for the shell. */
export function renderSuggestion({form}: Suggestion, typed: TypedTarget): string {
  const render = (suggestion: Suggestion): string => renderSuggestion(suggestion, typed);
  const word = (one: Word): string => renderWord(one, typed);
  switch (form.kind) {
    case 'mesh':
      return ['kubectl mesh', form.command, ...form.words.map(word), ...meshFlags(form, typed)].join(' ');
    case 'tool':
      return [...toolWords(form, typed), ...form.words.map(word)].join(' ');
    case 'program':
      return [form.program, ...form.words].map(word).join(' ');
    case 'edit':
      return `\${EDITOR:-vi} ${word(form.file)}`;
    case 'sequence':
      return form.steps.map(render).join(form.separator === '&&' ? ' && ' : '; ');
    case 'pipe':
      return form.steps.map(render).join(' | ');
    case 'write':
      return `${render(form.step)} > ${word(form.file)}`;
    case 'for each':
      return `for ${form.variable.name} in ${form.values.map(shellWord).join(' ')}; do ${render(form.step)}; done`;
    case 'if exists':
      return `{ [ ! -e ${word(form.file)} ] || ${render(form.step)}; }`;
    case 'script':
      return form.parts.map((part) => renderPart(part, typed)).join('');
  }
}

/** A hint as text. */
export function renderHint(hint: Hint, typed: TypedTarget): string {
  if (typeof hint === 'string') return hint;
  return hint.parts.map((part) => (typeof part === 'string' ? part : renderSuggestion(part, typed))).join('');
}

function renderPart(part: ScriptPart, typed: TypedTarget): string {
  if ('shell' in part) return part.shell;
  return part.items
    .map((item) => (item instanceof Suggestion ? renderSuggestion(item, typed) : renderWord(item, typed)))
    .join(' ');
}

function renderWord(word: Word, typed: TypedTarget): string {
  if (typeof word === 'string') return shellWord(word);
  if (word instanceof Variable) return `"$${word.name}"${word.rest === '' ? '' : shellWord(word.rest)}`;
  if (word instanceof OutputOf) return `$(${renderSuggestion(word.command, typed)})`;
  return word instanceof FilePath ? shellPath(word.path) : renderPath(word, typed);
}

function renderPath({path}: WorkDirPath, {directory}: TypedTarget): string {
  const base = directory?.replace(/\/+$/, '');
  return shellPath(base === undefined ? path : `${base}/${path}`);
}

/** The words of each target flag; none where it was not typed. */
const targetFlags: Readonly<Record<TargetFlag, (typed: TypedTarget) => readonly string[]>> = {
  'work-dir': ({workDir}) => flag('-w', workDir),
  kubeconfig: ({kubeconfig}) => flag('--kubeconfig', kubeconfig),
  context: ({context}) => flag('--context', context),
  'istio-namespace': ({istioNamespace}) => flag('-n', istioNamespace),
  as: ({as, asGroups = []}) => [...flag('--as', as), ...asGroups.flatMap((group) => flag('--as-group', group))],
};

function flag(name: string, value: string | undefined): readonly string[] {
  return value === undefined ? [] : [name, shellWord(value)];
}

function meshFlags({command}: Extract<Form, {readonly kind: 'mesh'}>, typed: TypedTarget): readonly string[] {
  return meshCommands[command].flags.flatMap((name) => targetFlags[name](typed));
}

/** The program, the kubeconfig and user of this run, and the context. */
function toolWords({tool, context}: Extract<Form, {readonly kind: 'tool'}>, typed: TypedTarget): readonly string[] {
  return [tool, ...targetFlags.kubeconfig(typed), ...targetFlags.as(typed), ...flag('--context', context)];
}
