/**
 * `-o junit`: test results for CI systems (the common subset of Jenkins, GitLab, GitHub Actions and Azure:
 * github.com/testmoapp/junitxml). A place is a test suite, a row is a test case. Rows that cause exit code 3 are failures:
 * errors and, with `--fail-on warning`, warnings. Other warnings pass, with the warning as output. An unknown row is an
 * error, because the test could not run.
 */
import type {Severity} from '../../domain/checks/check.js';
import {isFailing} from '../../domain/checks/report.js';
import {printable, printableLine} from '../../domain/printable.js';
import type {VerifyRequest} from '../../operations/verify/verify.js';
import type {RenderContext} from '../view.js';
import {details, places, type ShownRow, type ShownVerify} from './verify-rows.js';

const suiteName = 'kubectl mesh verify';

/** `-o junit`. Failures depend on `--fail-on`. */
export function verifyJunit(
  result: ShownVerify,
  {now, request: {failOn}}: Pick<RenderContext<Pick<VerifyRequest, 'failOn'>>, 'now' | 'request'>,
): string {
  const suites: readonly Suite[] = [
    ...places(result.checks).map(({place, rows}) => ({name: place, cases: rows.map((row) => caseOf(row, failOn))})),
    ...(result.error ? [{name: 'wait', cases: [waitCase(result.error)]}] : []),
  ];
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites${attributesText({name: suiteName, ...counts(suites.flatMap(({cases}) => cases)), time: '0'})}>`,
    ...suites.flatMap((suite) => suiteLines(suite, now)),
    '</testsuites>',
  ].join('\n');
}

interface Suite {
  readonly name: string;
  readonly cases: readonly Case[];
}

interface Case {
  readonly name: string;
  /** The element with the details; absent for a case that passed without details. */
  readonly tag?: 'failure' | 'error' | 'skipped' | 'system-out';
  /** The attributes of that element: `message` is one line, `type` the kind of failure or error. */
  readonly attributes?: Readonly<Record<string, string>>;
  readonly text?: string;
}

function caseOf(row: ShownRow, failOn: Severity): Case {
  const {result: type, reason = '', observed, impliedBy} = row;
  const name = `${row.id} ${row.title}`;
  const text = details(row)
    .map(([key, value]) => `${key}: ${value}`)
    .join('\n');
  const cause = (otherwise: string): string => (impliedBy === undefined ? otherwise : `follows from ${impliedBy}`);
  if (type === 'unknown') {
    return {name, tag: 'error', attributes: {type: row.error?.code ?? type, message: cause(reason)}, text};
  }
  if (type === 'skipped') return {name, tag: 'skipped', attributes: {message: reason}};
  if (isFailing(row, failOn)) return {name, tag: 'failure', attributes: {type, message: cause(observed)}, text};
  return type === 'warning' ? {name, tag: 'system-out', text: `warning\n${text}`} : {name};
}

function waitCase({code, message, hints}: NonNullable<ShownVerify['error']>): Case {
  return {name: 'all checks pass in time', tag: 'error', attributes: {type: code, message}, text: hints.join('\n')};
}

function counts(cases: readonly Case[]): Readonly<Record<string, string>> {
  const count = (wanted: Case['tag']): string => String(cases.filter(({tag}) => tag === wanted).length);
  return {
    tests: String(cases.length),
    failures: count('failure'),
    errors: count('error'),
    skipped: count('skipped'),
  };
}

function suiteLines({name, cases}: Suite, now: Date): readonly string[] {
  const timestamp = now.toISOString().replace(/\.\d+Z$/, '');
  return [
    `  <testsuite${attributesText({name, ...counts(cases), time: '0', timestamp})}>`,
    ...distinct(cases).flatMap((one) => caseLines(one, name)),
    '  </testsuite>',
  ];
}

/** Numbers further findings of a check, because CI systems merge cases with the same name. */
function distinct(cases: readonly Case[]): readonly Case[] {
  return cases.map((one, index) => {
    const before = cases.slice(0, index).filter(({name}) => name === one.name).length;
    return before === 0 ? one : {...one, name: `${one.name} (${String(before + 1)})`};
  });
}

function caseLines({name, tag, attributes = {}, text}: Case, suite: string): readonly string[] {
  const open = `    <testcase${attributesText({name, classname: `kubectl-mesh.verify.${suite}`, time: '0'})}`;
  if (tag === undefined) return [`${open}/>`];
  const start = `<${tag}${attributesText(attributes)}`;
  const element = text === undefined ? `${start}/>` : `${start}>${escaped(text)}</${tag}>`;
  return [`${open}>`, `      ${element}`, '    </testcase>'];
}

function attributesText(values: Readonly<Record<string, string>>): string {
  return Object.entries(values)
    .map(([key, value]) => ` ${key}="${escaped(printableLine(value))}"`)
    .join('');
}

/** Characters that XML 1.0 does not allow in a document, not even as references (section 2.2, Char). */
const notInXml = /[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu;
const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
};

function escaped(text: string): string {
  return printable(text)
    .replace(notInXml, '')
    .replace(/[&<>"']/g, (found) => entities[found] ?? found);
}
