/** Flags whose values are inserted into alert rules unescaped, and are therefore validated strictly. */
import {Flags} from '@oclif/core';
import {parseMatchers} from '../../domain/monitoring/rule.js';
import {invalidFlag} from '../usage-error.js';
import {parseWith} from './duration.js';

/** A Prometheus label name (prometheus.io/docs/concepts/data_model). */
export const labelName = Flags.custom({
  helpValue: 'LABEL',
  parse: parseWith(
    (text) => /^[a-zA-Z_][a-zA-Z0-9_]*$/.exec(text)?.[0],
    'a Prometheus label name: letters, digits and _, not starting with a digit',
  ),
});

/** `job="istiod",mesh="prod"` */
export const matchersFlag = Flags.custom<readonly string[]>({
  helpValue: 'MATCHERS',
  parse: (input) => Promise.resolve().then(() => parseMatchers(input)),
});

/** A Kubernetes object name, a DNS-1123 subdomain (kubernetes.io/docs/concepts/overview/working-with-objects/names). */
export const objectName = Flags.custom({
  helpValue: 'NAME',
  parse: parseWith((text) => /^[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?$/.exec(text)?.[0], 'a DNS-1123 subdomain'),
});

const labelPart = /^[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;
const labelPrefix = /^[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?$/;

/** Labels as in kubectl: `release=prometheus,role=rules`. */
export const labelsFlag = Flags.custom<Readonly<Record<string, string>>>({
  helpValue: 'KEY=VALUE',
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
    const invalid = pairs.find((pair) => !isLabel(pair));
    if (invalid)
      return Promise.reject(
        invalidFlag('labels', invalid.join('='), 'a Kubernetes label KEY=VALUE, such as release=prometheus'),
      );
    return Promise.resolve(Object.fromEntries(pairs.map(([key = '', value = '']) => [key, value])));
  },
});
