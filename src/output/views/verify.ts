/** The views of verify and of its list of checks. Each rendering has a file. */
import type {CheckList, CheckSummary, ExplainedCheck} from '../../operations/verify/catalogue.js';
import type {VerifyRequest, VerifyResult} from '../../operations/verify/verify.js';
import type {Render, View} from '../view.js';
import {verifyJunit} from './verify-junit.js';
import {verifyMermaid} from './verify-mermaid.js';
import {resultWidth} from './verify-rows.js';
import {verifyShort} from './verify-short.js';
import {verifyText, verifyWide} from './verify-text.js';

/** `verify` */
export const verifyView = {
  text: verifyText,
  wide: verifyWide,
  short: verifyShort,
  junit: verifyJunit,
  mermaid: verifyMermaid,
} satisfies View<VerifyResult, Pick<VerifyRequest, 'failOn'>>;

/** The formats that require the topology, regardless of the selected checks. */
export const topologyFormats: readonly string[] = ['wide', 'mermaid'];

/** The formats that list no pair of clusters that is ok or skipped; with `-v`, `text` does. */
export const pairlessFormats: readonly string[] = ['text', 'short', 'mermaid'];

/** Uses the same text for every format. */
function inAllFormats<Result>(text: Render<Result>): View<Result> {
  return {text, wide: text, short: text, junit: text, mermaid: text};
}

/** `verify --list-checks` */
export const checkListView: View<CheckList> = inAllFormats(listText);

/** `verify --explain ID`: one check, or the list of those with a prefix. */
export const explainView: View<ExplainedCheck | CheckList> = inAllFormats((result) =>
  'checks' in result ? listText(result) : explainText(result),
);

/** Prints a line for each check. */
function listText({checks}: CheckList): string {
  return checks
    .map(
      ({id, severity, scope, title}) =>
        `${id}  ${severity.padEnd(resultWidth)}  ${scope.padEnd(resultWidth)}  ${title}`,
    )
    .join('\n');
}

/** How often a check is evaluated. */
const scopeText: Readonly<Record<CheckSummary['scope'], string>> = {
  mesh: 'once for the mesh',
  cluster: 'for each cluster',
  pair: 'for each pair of clusters',
};

/** Prints the full explanation of a check. */
function explainText(check: ExplainedCheck): string {
  const parts = [
    ['What it means', check.meaning],
    ['What breaks', check.breaks],
    ['How to check it by hand', check.byHand],
    ['How to fix it', check.mend],
    ['Source', check.source],
    ['Implies', check.implies.join(', ')],
  ] as const;
  return [
    `${check.id}: ${check.title}`,
    `${check.severity}, ${scopeText[check.scope]}, observed from: ${check.vantage}`,
    ...parts
      .filter(([, text]) => text !== '')
      .flatMap(([title, text]) => ['', title, ...text.split('\n').map((line) => `  ${line}`)]),
  ].join('\n');
}
