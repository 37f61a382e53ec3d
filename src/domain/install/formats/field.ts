/** The fields of an IstioOperator document, with the paths to which they are written. */
import type {OwnedField} from '../overlays.js';

/** A path in the document. */
export type Path = readonly string[];

/** One field of the document. */
export interface Field {
  readonly value: unknown;
  /** The paths to which it is written. */
  readonly written: readonly Path[];
  /** Other paths from which istioctl reads it. */
  readonly alsoRead?: readonly Path[];
  /** Where users set it. Absent: overlays may change it. */
  readonly setBy?: string;
  readonly isEquivalent?: OwnedField['isEquivalent'];
}

/** Returns a path below `spec`. */
export const spec = (...path: Path): Path => ['spec', ...path];
/** Returns a path below `spec.values`. */
export const values = (...path: Path): Path => spec('values', ...path);
/** `spec.unvalidatedValues` is merged over `spec.values` (istio/istio operator/pkg/render/manifest.go). */
export const eitherValues = (...path: Path): readonly Path[] => [values(...path), spec('unvalidatedValues', ...path)];
