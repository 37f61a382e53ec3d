/** The file CLUSTER/install.yaml: a document with a comment that says what made it and lets hand edits be seen. */
import {createHash} from 'node:crypto';
import {lineDiff} from './line-diff.js';

/** What the comment at the top says. */
export interface Origin {
  readonly cluster: string;
  /** The Istio minor it was made for, `1.30`. */
  readonly istio: string;
  /** The format's id. */
  readonly form: string;
}

const madeBy = '# Made by kubectl mesh install render';
const digestLine = /^# digest: sha256:([0-9a-f]{64})$/m;

/**
 * The whole file. It holds no date and no path, so that the same mesh gives the same bytes. The digest is that of
 * everything below its line: a file whose digest does not match was edited by somebody.
 */
export function installYamlText({cluster, istio, form}: Origin, body: string): string {
  return [
    `${madeBy} for ${cluster}, for Istio ${istio} (form of ${form}).`,
    '# Change mesh.yaml and render again rather than editing this file: an edit is kept aside, and not applied.',
    `# digest: sha256:${sha256(body)}`,
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
  return text === normal && match[1] === sha256(body) ? 'rendered' : 'edited';
}

/** SHA-256 in hex. */
export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** What changes from one install.yaml to another, without the digest lines: those always do. */
export function installYamlDiff(before: string, after: string): readonly string[] {
  return lineDiff(before, after).filter((line) => !digestLine.test(line.slice(2)));
}
