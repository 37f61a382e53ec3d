/**
 * How `up` is read. Rules: a line for each step; what went wrong below it; a dry run shows what each step would say; the
 * verdict with what is not ok last, and how to go on.
 */
import type {GenerateResult} from '../../operations/certs/generate.js';
import type {ApplyResult} from '../../operations/install/apply.js';
import type {RenderResult} from '../../operations/install/render.js';
import type {PushResult} from '../../operations/trust/push.js';
import type {UpResult, UpStep} from '../../operations/up.js';
import type {VerifyResult} from '../../operations/verify/verify.js';
import {arrows, failedLines, indent} from '../lines.js';
import type {Printed} from '../printed.js';
import type {RenderContext, View} from '../view.js';
import {certsGenerateView} from './certs-generate.js';
import {applyView} from './install-apply.js';
import {renderView} from './install-render.js';
import {trustPushView} from './trust-push.js';
import {verifyShort} from './verify-short.js';

/** `up` */
export const upView: View<UpResult> = {
  text: (result, context) =>
    [...result.steps.flatMap((step) => stepLines(step, result, context)), ...endLines(result)].join('\n'),
};

const commandWidth = 'certs generate'.length;

function stepLines(step: Printed<UpStep>, {dryRun}: Printed<UpResult>, context: RenderContext): readonly string[] {
  const head = `${step.command.padEnd(commandWidth)}  ${outcomeWords(step, dryRun !== undefined)}`;
  const details = dryRun !== undefined || step.command === 'verify' ? answerLines(step, context) : failureLines(step);
  return [head, ...errorLines(step), ...details];
}

function outcomeWords({outcome, knownAfter, result}: Printed<UpStep>, dryRun: boolean): string {
  if (result?.verdict) return result.verdict;
  if (knownAfter !== undefined) return `is known after ${knownAfter}`;
  if (outcome !== 'skipped') return outcome;
  if (!dryRun) return 'not started';
  // Without an answer an earlier step ended the run before this one was looked at.
  return result ? 'would change' : 'not reached';
}

function errorLines({error}: Printed<UpStep>): readonly string[] {
  return error ? [`  ${error.message}`, ...arrows(error.hints)] : [];
}

function failureLines({result}: Printed<UpStep>): readonly string[] {
  return (result?.clusters ?? []).flatMap(({name, outcome, error}) =>
    error ? indent(failedLines({name, outcome}, error)) : [],
  );
}

/** What the step's own command would have printed. */
function answerLines({command, result}: Printed<UpStep>, context: RenderContext): readonly string[] {
  if (!result) return [];
  const text = answerText(command, result, context);
  return text === '' ? [] : text.split('\n').map((line) => `  ${line}`.trimEnd());
}

/** Each step's result is that of the command it is named for. */
function answerText(command: string, result: object, context: RenderContext): string {
  switch (command) {
    case 'certs generate':
      return certsGenerateView.text(result as Printed<GenerateResult>, context);
    case 'trust push':
      return trustPushView.text(result as Printed<PushResult>, context);
    case 'install render':
      return renderView.text(result as Printed<RenderResult>, context);
    case 'install apply':
      return applyView.text(result as Printed<ApplyResult>, context);
    default:
      return verifyShort(result as Printed<VerifyResult>);
  }
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
