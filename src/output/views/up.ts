/**
 * How `up` is read. Rules: a line for each step; what went wrong below it; a dry run shows what each step would say; the
 * verdict with what is not ok last, and how to go on.
 */
import type {UpResult, UpStep} from '../../operations/up.js';
import {arrows, failedLines, indent} from '../lines.js';
import type {Printed, Render, RenderContext, View} from '../view.js';
import {certsGenerateView} from './certs-generate.js';
import {applyView, renderView} from './install.js';
import {trustPushView} from './trust.js';
import {verifyShort} from './verify-short.js';

/** `up` */
export const upView: View<UpResult> = {
  text: (result, context) =>
    [...result.steps.flatMap((step) => stepLines(step, result, context)), ...endLines(result)].join('\n'),
};

const commandWidth = 'certs generate'.length;

function stepLines(step: Printed<UpStep>, {dryRun}: Printed<UpResult>, context: RenderContext): readonly string[] {
  const {command, error, result} = step;
  const head = `${command.padEnd(commandWidth)}  ${outcomeWords(step, dryRun !== undefined)}`;
  const wrong = error ? [`  ${error.message}`, ...arrows(error.hints)] : [];
  if (!result) return [head, ...wrong];
  if (dryRun === undefined && command !== 'verify') {
    const failed = (result.clusters ?? []).flatMap((one) => (one.error ? indent(failedLines(one, one.error)) : []));
    return [head, ...wrong, ...failed];
  }
  // What the step's own command would have printed: each step's result is that of the command it is named for.
  const text = (views[command] ?? verifyShort)(result as never, context);
  return [head, ...wrong, ...(text === '' ? [] : text.split('\n').map((line) => `  ${line}`.trimEnd()))];
}

/** The text of each step's command; the last one is verify. */
const views: Readonly<Record<string, Render<never>>> = {
  'certs generate': certsGenerateView.text,
  'trust push': trustPushView.text,
  'install render': renderView.text,
  'install apply': applyView.text,
};

function outcomeWords({outcome, knownAfter, result}: Printed<UpStep>, dryRun: boolean): string {
  if (result?.verdict) return result.verdict;
  if (knownAfter !== undefined) return `is known after ${knownAfter}`;
  if (outcome !== 'skipped') return outcome;
  if (!dryRun) return 'not started';
  // Without an answer an earlier step ended the run before this one was looked at.
  return result ? 'would change' : 'not reached';
}

function endLines({steps, clusters, verdict, dryRun, again}: Printed<UpResult>): readonly string[] {
  if (dryRun !== undefined) return [];
  const names = clusters.map(({name}) => name).join(', ');
  if (verdict === 'ok' || verdict === 'warning') return [`Verdict: ${verdict}. The mesh is up: ${names}`];
  const done = steps.filter(({outcome}) => outcome === 'done' || outcome === 'unchanged').map(({command}) => command);
  return [
    ...(verdict ? [`Verdict: ${verdict}`] : []),
    `Done: ${done.length === 0 ? 'nothing' : done.join(', ')}. To go on from here: ${again}`,
  ];
}
