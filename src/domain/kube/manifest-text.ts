/** Manifests as YAML for `kubectl apply -f` and git. */
import {stringify} from 'yaml';

/** Returns the comment, then each object as a YAML document. Comment lines may be empty. */
export function manifestText(comment: readonly string[], objects: readonly object[]): string {
  const head = comment.map((line) => `# ${line}`.trimEnd());
  const documents = objects.map((object) => stringify(object, {lineWidth: 0, aliasDuplicateObjects: false}).trimEnd());
  return `${[...head, documents.join('\n---\n')].join('\n')}\n`;
}
