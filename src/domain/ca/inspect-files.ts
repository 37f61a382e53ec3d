/** Inspects the files of the work directory, and finds out which findings `certs rewrite` resolves. Pure. */
import type {CaFiles} from './ca-files.js';
import {type CaInspection, inspectCaFiles, type InspectOptions} from './inspect-ca.js';
import type {CaFinding} from './istiod-rules.js';
import {rewriteCaFiles} from './rewrite.js';

/** The findings that rewriting would only hide: the key in a public file remains compromised. */
const neverOfForm: readonly CaFinding['id'][] = ['published-key', 'several-keys'];
/** Findings about one file have the same id as those about another one. */
const idsOfFiles: readonly CaFinding['id'][] = ['unreadable', 'unproven'];

/** Like {@link inspectCaFiles}; marks the findings that the same key and certificates in canonical form do not have. */
export function inspectFiles(files: CaFiles, options: InspectOptions): CaInspection {
  const inspection = inspectCaFiles(files, options);
  if (inspection.findings.length === 0) return inspection;
  const {findings: remaining} = inspectCaFiles(rewriteCaFiles(files).files, options);
  const remains = ({id, message}: CaFinding): boolean =>
    neverOfForm.includes(id) ||
    remaining.some((one) => one.id === id && (!idsOfFiles.includes(id) || one.message === message));
  return {
    ...inspection,
    findings: inspection.findings.map((one) => (remains(one) ? one : {...one, isOfForm: true})),
  };
}
