/** `verify --list-checks` and `verify --explain ID`. */
import type {CheckList, ExplainedCheck} from '../../operations/verify/catalogue.js';
import {resultWidth} from './verify-rows.js';

/** Every check, a line each. */
export function listText({checks}: CheckList): string {
  return checks
    .map(
      ({id, severity, scope, title}) =>
        `${id}  ${severity.padEnd(resultWidth)}  ${scope.padEnd(resultWidth)}  ${title}`,
    )
    .join('\n');
}

/** All that is to be said of one check. */
export function explainText(check: ExplainedCheck): string {
  const parts = [
    ['What it means', check.meaning],
    ['What breaks', check.breaks],
    ['How to see it by hand', check.byHand],
    ['How to mend it', check.mend],
    ['Source', check.source],
    ['Implies', check.implies.join(', ')],
  ] as const;
  return [
    `${check.id}: ${check.title}`,
    `${check.severity}, for each ${check.scope}, seen from: ${check.vantage}`,
    ...parts
      .filter(([, text]) => text !== '')
      .flatMap(([title, text]) => ['', title, ...text.split('\n').map((line) => `  ${line}`)]),
  ].join('\n');
}
