/** Parses YAML that others wrote, in objects of a cluster: bounded, so that no text can stop or crash the process. */
import {parse} from 'yaml';

/**
 * How many collections can be nested, by three measures that each bound it. The parser calls itself for each level: a line
 * of 60,000 times `- a: ` takes it more than ten seconds, and 10,000 brackets have ended Node 20 with an error of V8 that cannot be
 * caught. Istio's own configuration is nested less than 20 levels deep.
 */
const maxBrackets = 2000;
const maxIndicatorsPerLine = 2000;
const maxIndentation = 500;

/** Parses YAML without aliases. Throws an error that describes why the text is not accepted. */
export function parseForeignYaml(text: string): unknown {
  if (text.replace(/[^[{]/g, '').length > maxBrackets) throw new Error('too many brackets');
  for (const line of text.split(/[\r\n]/)) {
    if (line.length <= maxIndentation) continue;
    if (line.length - line.trimStart().length > maxIndentation) throw new Error('too much indentation');
    if ((line.match(/[-?:](?=[ \t]|$)/g) ?? []).length > maxIndicatorsPerLine) throw new Error('too many indicators');
  }
  // Errors are thrown, and warnings not printed.
  return parse(text, {maxAliasCount: 0, logLevel: 'error'});
}
