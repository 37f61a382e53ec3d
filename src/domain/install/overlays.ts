import {LineCounter, isScalar, parseAllDocuments, visit} from 'yaml';
import {MeshError} from '../errors.js';
import {valueAt, isTree, mergeTrees, existingPrefix, type Tree} from '../tree.js';

/** Something merged over the document: a piece of an IstioOperator, and where it was written. */
export interface Overlay {
  /** `mesh.yaml istio.values`, or the file's path. */
  readonly place: string;
  /** How a path of the document is spelled at that place: `values` of mesh.yaml start below `spec.values`. */
  readonly strip: number;
  readonly tree: Tree;
}

/** An overlay from `values` of mesh.yaml. */
export function valuesOverlay(place: string, values: Tree): Overlay {
  return {place, strip: 2, tree: {spec: {values}}};
}

/** A field that this program decides: values and overlays may repeat it, never change it. */
export interface OwnedField {
  /** Where it stands in the document. */
  readonly path: readonly string[];
  readonly value: unknown;
  /** Where people set it instead, for the message. */
  readonly setBy: string;
}

const topFields = ['apiVersion', 'kind', 'metadata', 'spec'];
/** Words that istioctl's YAML 1.1 reads as booleans and YAML 1.2 as text (go-yaml v2 resolve.go). */
const ambiguousWord = /^(?:y|n|yes|no|on|off)$/i;

/** An overlay from a file: one IstioOperator document, of which any part may be missing. Throws `OVERLAY_INVALID`. */
export function parseOverlay(path: string, text: string): Overlay {
  const fail = (what: string, hint: string): never => {
    throw new MeshError('OVERLAY_INVALID', `${path}: ${what}`, {hints: [hint]});
  };
  const shape = 'an overlay is one IstioOperator document: spec, and perhaps apiVersion, kind and metadata';
  const lineCounter = new LineCounter();
  const documents = parseAllDocuments(text, {lineCounter, uniqueKeys: true});
  const [document, second] = Array.isArray(documents) ? documents : [];
  if (!document) return {place: path, strip: 0, tree: {}};
  if (second) return fail('it holds several documents', shape);
  const [problem] = document.errors;
  if (problem) return fail(`it is not YAML: ${problem.message.split('\n')[0] ?? ''}`, shape);
  visit(document, {
    Scalar(_key, node) {
      if (!isScalar(node) || node.type !== 'PLAIN' || typeof node.value !== 'string') return;
      if (!ambiguousWord.test(node.value)) return;
      const {line} = lineCounter.linePos(node.range?.[0] ?? 0);
      fail(
        `line ${String(line)}: ${node.value} is a boolean to istioctl and text to others`,
        `write true or false, or "${node.value}" in quotes`,
      );
    },
  });
  const tree: unknown = document.toJS() ?? {};
  if (!isTree(tree)) return fail('it is not a map', shape);
  const stranger = Object.keys(tree).find((key) => !topFields.includes(key));
  if (stranger !== undefined) return fail(`unknown field ${stranger}`, shape);
  const {kind = 'IstioOperator'} = tree;
  if (kind !== 'IstioOperator') return fail(`kind is ${quote(kind)}`, shape);
  for (const field of ['metadata', 'spec']) {
    if (tree[field] !== undefined && !isTree(tree[field])) return fail(`${field} is not a map`, shape);
  }
  return {place: path, strip: 0, tree};
}

/**
 * Merges overlays over a document, one after the other. Throws `OVERLAY_INVALID` where one changes a field that this
 * program owns, and names both places.
 */
export function applyOverlays(document: Tree, overlays: readonly Overlay[], owned: readonly OwnedField[]): Tree {
  return overlays.reduce((merged, overlay) => {
    for (const field of owned) refuseContradiction(overlay, field);
    return mergeTrees(merged, overlay.tree);
  }, document);
}

function refuseContradiction({place, strip, tree}: Overlay, {path, value, setBy}: OwnedField): void {
  const reached = existingPrefix(tree, path);
  const said = valueAt(tree, reached);
  // The overlay ends above the field in a map: it does not touch it. A list, a scalar or null there removes it.
  const touches = reached.length === path.length || !isTree(said);
  if (!touches || (reached.length === path.length && sameText(said, value))) return;
  const field = reached.slice(strip).join('.');
  throw new MeshError(
    'OVERLAY_INVALID',
    `${place}${field === '' ? '' : `, ${field}`} says ${quote(said)}, but ${path.at(-1) ?? ''} is ${quote(value)}: ${setBy}`,
    {hints: [`change it there (${setBy}), or take it out of ${place}`]},
  );
}

/** Environment values and names may be written without quotes: `true` is "true" here. */
function sameText(said: unknown, value: unknown): boolean {
  return said === value || ((typeof said === 'boolean' || typeof said === 'number') && String(said) === value);
}

function quote(value: unknown): string {
  return JSON.stringify(value);
}
