import {LineCounter, isScalar, parseAllDocuments, visit} from 'yaml';
import {MeshError} from '../errors.js';
import {plainValue} from '../plain-value.js';
import {valueAt, isTree, existingPrefix, type Tree} from '../tree.js';
import {mergeDocuments, withNamedEntries} from './gateway-list.js';

/** Settings that are merged over the document: a part of an IstioOperator, and where it was written. */
export interface Overlay {
  /** `mesh.yaml istio.values`, or the file's path. */
  readonly place: string;
  /** How many leading keys of a document path are omitted at that place: `values` of mesh.yaml start below `spec.values`. */
  readonly strip: number;
  readonly tree: Tree;
}

/** Creates an overlay from `values` of mesh.yaml. */
export function valuesOverlay(place: string, values: Tree): Overlay {
  return {place, strip: 2, tree: {spec: {values}}};
}

/** A field that this program sets. Values and overlays may repeat its value, but must not change it. */
export interface OwnedField {
  /** Its path in the document. */
  readonly path: readonly string[];
  readonly value: unknown;
  /** Whether another value has the same effect. Absent: none has. */
  readonly isEquivalent?: (value: unknown) => boolean;
  /** Where users set it instead, for the message. */
  readonly setBy: string;
}

const topFields = ['apiVersion', 'kind', 'metadata', 'spec'];
/** Words that are booleans in YAML 1.1, which istioctl reads, and strings in YAML 1.2 (go-yaml v2 resolve.go). */
const ambiguousWord = /^(?:y|n|yes|no|on|off)$/i;

/** Parses an overlay file: one IstioOperator document, any part of which may be missing. Throws `OVERLAY_INVALID`. */
export function parseOverlay(path: string, text: string): Overlay {
  const fail = (what: string, hint: string): never => {
    throw new MeshError('OVERLAY_INVALID', `${path}: ${what}`, {hints: [hint]});
  };
  const shape = 'an overlay must be one IstioOperator document with spec and optionally apiVersion, kind and metadata';
  const lineCounter = new LineCounter();
  const documents = parseAllDocuments(text, {lineCounter, uniqueKeys: true});
  const [document, second] = Array.isArray(documents) ? documents : [];
  if (!document) return {place: path, strip: 0, tree: {}};
  if (second) return fail('contains several documents', shape);
  const [problem] = document.errors;
  if (problem) return fail(`invalid YAML: ${problem.message.split('\n')[0] ?? ''}`, shape);
  visit(document, {
    Scalar(_key, node) {
      if (!isScalar(node) || node.type !== 'PLAIN' || typeof node.value !== 'string') return;
      if (!ambiguousWord.test(node.value)) return;
      const {line} = lineCounter.linePos(node.range?.[0] ?? 0);
      fail(
        `line ${String(line)}: ${node.value} is ambiguous: istioctl reads it as a boolean, other tools as a string`,
        `write true or false, or quote it: "${node.value}"`,
      );
    },
  });
  const {value, problem: unresolved} = plainValue(document);
  if (unresolved !== undefined) return fail(`invalid YAML: ${unresolved}`, shape);
  const tree = value ?? {};
  if (!isTree(tree)) return fail('must be a map', shape);
  const unknownField = Object.keys(tree).find((key) => !topFields.includes(key));
  if (unknownField !== undefined) return fail(`unknown field ${unknownField}`, shape);
  const {kind = 'IstioOperator'} = tree;
  if (kind !== 'IstioOperator') return fail(`invalid kind ${quote(kind)}: must be IstioOperator`, shape);
  for (const field of ['metadata', 'spec']) {
    if (tree[field] !== undefined && !isTree(tree[field])) return fail(`${field} must be a map`, shape);
  }
  return {place: path, strip: 0, tree};
}

/**
 * Merges overlays over a document in order. Throws `OVERLAY_INVALID` if one changes a field that this program sets; the
 * error names both places.
 */
export function applyOverlays(document: Tree, overlays: readonly Overlay[], owned: readonly OwnedField[]): Tree {
  return overlays.reduce((merged, overlay) => {
    for (const field of owned) checkOwnedField(overlay, field);
    return mergeDocuments(merged, overlay.tree);
  }, document);
}

function checkOwnedField({place, strip, tree}: Overlay, {path, value, setBy, isEquivalent}: OwnedField): void {
  const named = withNamedEntries(tree);
  const prefix = existingPrefix(named, path);
  const actual = valueAt(named, prefix);
  // A map above the field leaves the field alone. A list, a scalar or null in its place removes it.
  const changes = prefix.length === path.length || !isTree(actual);
  if (!changes || (prefix.length === path.length && (sameText(actual, value) || isEquivalent?.(actual) === true)))
    return;
  const field = prefix.slice(strip).join('.');
  throw new MeshError(
    'OVERLAY_INVALID',
    `${place}${field === '' ? '' : `, ${field}`}: ${quote(actual)} conflicts with ${path.at(-1) ?? ''} ${quote(value)} (${setBy})`,
    {hints: [`${setBy.startsWith('mesh.yaml ') ? `change ${setBy}, or ` : ''}remove the field from ${place}`]},
  );
}

/** Compares values as strings: environment values and names may be written without quotes, so `true` equals "true". */
function sameText(actual: unknown, value: unknown): boolean {
  return actual === value || ((typeof actual === 'boolean' || typeof actual === 'number') && String(actual) === value);
}

function quote(value: unknown): string {
  return JSON.stringify(value);
}
