/**
 * Renders suggested commands as text for the shell of this run. Only this file quotes words and adds the flags of this
 * run.
 */
import {
  ClusterNames,
  FilePath,
  type Hint,
  OutputOf,
  type ShellPart,
  ShellText,
  Suggestion,
  Variable,
} from '../../domain/suggest/suggestion.js';
import {meshCommands, type TargetFlag} from '../../domain/suggest/mesh-commands.js';
import {shellPath, shellWord} from './shell.js';
import type {TypedTarget} from './typed-target.js';

/** A suggestion as a shell command. */
export function renderSuggestion({form}: Suggestion, typed: TypedTarget): string {
  const render = (part: ShellPart): string => renderPart(part, typed);
  switch (form.kind) {
    case 'mesh':
      return [
        'kubectl mesh',
        form.command,
        ...form.words.map(render),
        ...meshCommands[form.command].flags.flatMap((name) => targetFlags[name](typed)),
      ].join(' ');
    case 'tool':
      // With this run's kubeconfig and impersonated user.
      return [
        ...[form.tool, ...targetFlags.kubeconfig(typed), ...targetFlags.as(typed), ...flag('--context', form.context)],
        ...form.words.map(render),
      ].join(' ');
    case 'program':
      return [form.program, ...form.words].map(render).join(' ');
    case 'shell':
      return form.parts.map(render).join('');
  }
}

/** A hint as text. */
export function renderHint(hint: Hint, typed: TypedTarget): string {
  if (typeof hint === 'string') return hint;
  return hint.parts.map((part) => (typeof part === 'string' ? part : renderSuggestion(part, typed))).join('');
}

function renderPart(part: ShellPart, typed: TypedTarget): string {
  if (part instanceof ShellText) return part.text;
  if (part instanceof Suggestion) return renderSuggestion(part, typed);
  if (typeof part === 'string') return shellWord(part);
  if (part instanceof Variable) return `"$${part.name}"${part.rest === '' ? '' : shellWord(part.rest)}`;
  if (part instanceof ClusterNames) return part.names.map(shellWord).join(' ');
  if (part instanceof OutputOf) return `$(${renderSuggestion(part.command, typed)})`;
  const directory = part instanceof FilePath ? undefined : typed.directory?.replace(/\/+$/, '');
  return shellPath(directory === undefined ? part.path : `${directory}/${part.path}`);
}

/** The arguments of each target flag; empty for flags that were not given. */
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
