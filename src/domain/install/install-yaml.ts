/** The file CLUSTER/install.yaml: a document with a comment that says what made it and lets hand edits be seen. */
import {sha256Hex} from '../keys/keys.js';
import {diffArrays} from 'diff';
import {Document, isScalar, visit} from 'yaml';
import type {Tree} from '../tree.js';

const madeBy = '# Made by kubectl mesh install render';
const digestLine = /^# digest: sha256:([0-9a-f]{64})$/m;

/**
 * The whole file, for an Istio minor (`1.30`), in the format with the id `form`. It holds no date and no path, so that the same mesh gives the same bytes. The digest is that of
 * everything below its line: a file whose digest does not match was edited by somebody.
 */
export function installYamlText(
  {cluster, istio, form}: {readonly cluster: string; readonly istio: string; readonly form: string},
  body: string,
): string {
  return [
    `${madeBy} for ${cluster}, for Istio ${istio} (form of ${form}).`,
    '# Change mesh.yaml and render again rather than editing this file: an edit is kept aside, and not applied.',
    `# digest: sha256:${sha256Hex(body)}`,
    body,
  ].join('\n');
}

/** Who made an install.yaml: this program and nobody since, this program and then somebody, or somebody else. */
export type InstallYamlState = 'rendered' | 'edited' | 'foreign';

/** Looks at the comment and its digest. */
export function installYamlState(text: string): InstallYamlState {
  const normal = text.replaceAll('\r\n', '\n');
  const match = digestLine.exec(normal);
  if (!match || !normal.startsWith(madeBy)) return 'foreign';
  const body = normal.slice(match.index + match[0].length + 1);
  return text === normal && match[1] === sha256Hex(body) ? 'rendered' : 'edited';
}

/** What changes from one install.yaml to another, without the digest lines: those always do. */
export function installYamlDiff(before: string, after: string): readonly string[] {
  return lineDiff(before, after).filter((line) => !digestLine.test(line.slice(2)));
}

/** Above this many lines a diff is not worth its quadratic time: install.yaml files have some dozens. */
const longest = 2000;

/** What changes from one text to another: removed lines with `- `, added ones with `+ `, in order, without those that stay. */
export function lineDiff(before: string, after: string): readonly string[] {
  const left = linesOf(before);
  const right = linesOf(after);
  if (left.length > longest || right.length > longest) {
    return [`- ${String(left.length)} lines`, `+ ${String(right.length)} lines`];
  }
  return diffArrays(left, right)
    .filter(({added, removed}) => added || removed)
    .flatMap(({added, value}) => value.map((line) => `${added ? '+' : '-'} ${line}`));
}

function linesOf(text: string): string[] {
  return text === '' ? [] : text.replace(/\n$/, '').split('\n');
}

/** Text that every YAML reader takes as text: no number, boolean, null, date or tag in any version of YAML. */
const plainText = /^[A-Za-z][A-Za-z0-9]*(?:[./_-][A-Za-z0-9_./-]*)?$/;
/** But these words are something else to YAML 1.1, and to istioctl (go-yaml v2 resolve.go). */
const notText = /^(?:y|n|yes|no|on|off|true|false|null|nan|inf)$/i;

/**
 * A document as YAML. Keys stay in their order; text that some YAML reader could take for something else is quoted: the
 * `yaml` package follows YAML 1.2, where `on` and `0o7` need no quotes, istioctl reads 1.1.
 */
export function documentYaml(document: Tree): string {
  const made = new Document(document, {aliasDuplicateObjects: false});
  visit(made, {
    Scalar(_key, node) {
      if (!isScalar(node) || typeof node.value !== 'string' || node.value.includes('\n')) return;
      if (!plainText.test(node.value) || notText.test(node.value)) node.type = 'QUOTE_DOUBLE';
    },
  });
  return made.toString({lineWidth: 0, indentSeq: true});
}
