import type {Document} from 'yaml';

/**
 * Returns the value of a YAML document whose syntax is valid, or why it has none: an alias without an anchor, or aliases
 * that expand to far more than the document (yaml's `maxAliasCount`).
 */
export function plainValue(document: Document.Parsed): {readonly value?: unknown; readonly problem?: string} {
  try {
    return {value: document.toJS()};
  } catch (error) {
    return {problem: error instanceof Error ? error.message : String(error)};
  }
}
