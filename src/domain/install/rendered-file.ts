import {sha256Hex} from '../keys/keys.js';
import {keptFile} from '../mesh/layout.js';
import {installYamlState} from './install-yaml.js';

/** A file of the work directory that `install render` owns. */
export interface RenderedFile {
  /** Relative to the work directory. */
  readonly path: string;
  /** The existing file's text; undefined if there is no file. */
  readonly present: string | undefined;
  /** As rendered now; undefined if there must be no such file. */
  readonly text: string | undefined;
}

/** Returns what a file needs; undefined if it is as rendered, or if nothing is rendered there and this program did not create it. */
export function fileChange({present, text}: RenderedFile): 'write' | 'rewrite' | 'remove' | undefined {
  if (text === undefined) {
    return present === undefined || installYamlState(present) === 'foreign' ? undefined : 'remove';
  }
  if (present === text) return undefined;
  return present === undefined ? 'write' : 'rewrite';
}

/**
 * Returns where to save an existing file that changes and that this program did not render; undefined if there is nothing to save.
 * The name has the file's digest: it is saved only once.
 */
export function keptPath(file: RenderedFile): string | undefined {
  const {path, present} = file;
  if (present === undefined || fileChange(file) === undefined || installYamlState(present) === 'rendered')
    return undefined;
  return keptFile(path, sha256Hex(present));
}
