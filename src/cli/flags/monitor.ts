/** Flags whose values go into alert rules as they are, so that each must be what it says. */
import {Errors, Flags} from '@oclif/core';
import {parsed} from './duration.js';
import {parseMatchers} from '../../domain/monitoring/rule.js';

/** A label of Prometheus (prometheus.io/docs/concepts/data_model). */
export const labelName = Flags.custom({
  helpValue: 'LABEL',
  parse: parsed(
    (text) => /^[a-zA-Z_][a-zA-Z0-9_]*$/.exec(text)?.[0],
    'a label name of Prometheus: letters, digits and _, no digit first',
  ),
});

/** `job="istiod",mesh="prod"` */
export const matchersFlag = Flags.custom<readonly string[]>({
  helpValue: 'MATCHERS',
  parse: (input) => Promise.resolve().then(() => parseMatchers(input)),
});

/** The name of a Kubernetes object: DNS-1123 (kubernetes.io/docs/concepts/overview/working-with-objects/names). */
export const objectName = Flags.custom({
  helpValue: 'NAME',
  parse: parsed(
    (text) => /^[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?$/.exec(text)?.[0],
    'a name of a Kubernetes object: lower-case letters, digits, - and .',
  ),
});

const labelPart = /^[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;
const labelPrefix = /^[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?$/;

/** `release=prometheus,role=rules`, as kubectl takes labels. */
export const labelsFlag = Flags.custom<Readonly<Record<string, string>>>({
  helpValue: 'KEY=VALUE,...',
  multiple: true,
  multipleNonGreedy: true,
  parse: (input) => {
    const pairs = input.split(',').map((pair) => pair.split('='));
    const isLabel = (pair: readonly string[]): boolean => {
      const [key = '', value = ''] = pair;
      const [name = '', prefix, ...rest] = key.split('/').toReversed();
      return (
        pair.length === 2 &&
        rest.length === 0 &&
        labelPart.test(name) &&
        (prefix === undefined || labelPrefix.test(prefix)) &&
        (value === '' || labelPart.test(value))
      );
    };
    const odd = pairs.find((pair) => !isLabel(pair));
    if (odd) return Promise.reject(new Errors.CLIError(`${odd.join('=')} is not a Kubernetes label: write KEY=VALUE`));
    return Promise.resolve(Object.fromEntries(pairs.map(([key = '', value = '']) => [key, value])));
  },
});
