import type {InstallModel} from '../model.js';
import type {OwnedField} from '../overlays.js';
import type {Tree} from '../tree.js';

/** How an install model is written as a document for a range of Istio versions. */
export interface Format {
  /** The first and the last minor: `1.8 to 1.23`. Named in results and at the top of install.yaml. */
  readonly id: string;
  /** The first minor. */
  readonly from: string;
  /** Why this range has a form of its own. */
  readonly why: string;
  /** The document, without overlays. */
  document(model: InstallModel): Tree;
  /** Its fields that overlays must not change, by every path from which the installer takes them. */
  owned(model: InstallModel): readonly OwnedField[];
}
