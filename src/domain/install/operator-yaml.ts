import {Document, isScalar, visit} from 'yaml';
import type {Tree} from './tree.js';

/** Text that every YAML reader takes as text: no number, boolean, null, date or tag in any version of YAML. */
const plainText = /^[A-Za-z][A-Za-z0-9]*(?:[./_-][A-Za-z0-9_./-]*)?$/;
/** But these words are something else to YAML 1.1, and to istioctl (go-yaml v2 resolve.go). */
const notText = /^(?:y|n|yes|no|on|off|true|false|null|nan|inf)$/i;

/**
 * A document as YAML. Keys stay in their order; text that some YAML reader could take for something else is quoted: the
 * `yaml` package follows YAML 1.2, where `on` and `0o7` need no quotes, istioctl reads 1.1.
 */
export function operatorYaml(document: Tree): string {
  const made = new Document(document, {aliasDuplicateObjects: false});
  visit(made, {
    Scalar(_key, node) {
      if (!isScalar(node) || typeof node.value !== 'string' || node.value.includes('\n')) return;
      if (!plainText.test(node.value) || notText.test(node.value)) node.type = 'QUOTE_DOUBLE';
    },
  });
  return made.toString({lineWidth: 0, indentSeq: true});
}
