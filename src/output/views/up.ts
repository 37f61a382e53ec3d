/**
 * `up` as text: each step with its errors, then the output of `verify` and, if a step failed, how to continue. A dry run
 * also prints the output of each step's command.
 */
import type {UpResult, UpStep} from '../../operations/up.js';
import {errorLines, failedLines, indent} from '../format.js';
import type {Printed, Render, RenderContext, View} from '../view.js';
import {certsGenerateView} from './certs-generate.js';
import {applyView, renderView} from './install.js';
import {linkView} from './link.js';
import {trustPushView} from './trust.js';
import type {ShownVerify} from './verify-rows.js';
import {verifyText} from './verify-text.js';

/** `up` */
export const upView: View<UpResult> = {
  text: (result, context) =>
    [...result.steps.flatMap((step) => stepLines(step, result, context)), ...endLines(result, context)].join('\n'),
};

const commandWidth = 'certs generate'.length;

function stepLines(step: Printed<UpStep>, {dryRun}: Printed<UpResult>, context: RenderContext): readonly string[] {
  const {command, error, result} = step;
  const head = `${command.padEnd(commandWidth)}  ${outcomeWords(step, dryRun !== undefined)}`;
  const wrong = error ? indent(errorLines(error)) : [];
  if (!result || command === 'verify') return [head, ...wrong];
  if (dryRun === undefined) {
    const failed = (result.clusters ?? []).flatMap((one) => (one.error ? indent(failedLines(one, one.error)) : []));
    return [head, ...wrong, ...failed];
  }
  // The result is that of the step's command.
  const text = views[command]?.(result as never, context) ?? '';
  return [head, ...wrong, ...(text === '' ? [] : indent(text.split('\n')))];
}

/** The view of each step's command, except verify, which is printed last. */
const views: Readonly<Record<string, Render<never>>> = {
  'certs generate': (result, context) => certsGenerateView.text(result, {...context, request: {}}),
  'trust push': trustPushView.text,
  'install render': renderView.text,
  'install apply': applyView.text,
  link: linkView.text,
};

function outcomeWords({outcome, knownAfter, result}: Printed<UpStep>, dryRun: boolean): string {
  if (result?.verdict) return result.verdict;
  if (knownAfter !== undefined) return `known after ${knownAfter}`;
  if (outcome !== 'skipped') return outcome;
  if (!dryRun) return 'not started';
  // Without a result, an earlier step ended the run before this step was planned.
  return result ? 'would change' : 'not reached';
}

function endLines({steps, dryRun, again}: Printed<UpResult>, context: RenderContext): readonly string[] {
  const verified = steps.find(({command, result}) => command === 'verify' && result)?.result;
  // Only verify has a verdict.
  const verdict = verified ? ['', verifyText(verified as unknown as ShownVerify, context)] : [];
  if (dryRun !== undefined || verified?.verdict === 'ok' || verified?.verdict === 'warning') return verdict;
  const done = steps.filter(({outcome}) => outcome === 'done' || outcome === 'unchanged').map(({command}) => command);
  return [...verdict, `Done: ${done.length === 0 ? 'nothing' : done.join(', ')}. To continue: ${again}`];
}
