/** What waiting can mend, and what only a person can: when `verify --wait` gives up. */
import type {ErrorCode} from '../errors.js';
import type {Check, Severity} from './check.js';
import {isFailing, isGreen, type Row} from './report.js';

/**
 * Reasons for unknown that stay until a person does something about this run's surroundings: programs, kubeconfig,
 * login, rights, files. All others (no answer, one that came too late, nothing there yet) may go away by themselves.
 */
const needsAPerson: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'USAGE',
  'NO_CONTEXT',
  'MESH_YAML_INVALID',
  'MESH_YAML_MISSING',
  'CONTEXTS_YAML_INVALID',
  'OVERLAY_INVALID',
  'MISSING_VALUE',
  'FILE_MISSING',
  'WORKDIR_CONFLICT',
  'WORKDIR_UNREADABLE',
  'SYMLINK',
  'TOOL_MISSING',
  'TOOL_TOO_OLD',
  'KUBECONFIG_MISSING',
  'CONTEXT_MISSING',
  'UNAUTHORIZED',
  'FORBIDDEN',
  'ENDPOINT_OFF',
]);

/** What only the clock mends, often in a day, such as the last certificate that an older root signed: nobody waits for it. */
const needsTime: ErrorCode = 'TOO_EARLY';

/**
 * Why waiting is of no use: a finding that only a person mends, a refusal (which is only what somebody answered, once), or
 * nothing is left but what only time mends.
 */
export type Terminal = 'finding' | 'refusal' | 'time';

/**
 * Why the rows, which are not green, do not become so by waiting; undefined where they may. A consequence says nothing: when
 * its cause goes away, so may it.
 */
export function terminalReason(rows: readonly Row[], checks: readonly Check[], failOn: Severity): Terminal | undefined {
  const causes = rows.filter((row) => row.impliedBy === undefined && !isGreen([row], failOn));
  const byHand = new Set(checks.filter(({waitable}) => !waitable).map(({id}) => id));
  if (causes.some((row) => byHand.has(row.id) && isFailing(row, failOn))) return 'finding';
  const reasons = causes.map(({error}) => error?.code);
  if (reasons.some((code) => code !== undefined && needsAPerson.has(code))) return 'refusal';
  return reasons.length > 0 && reasons.every((code) => code === needsTime) ? 'time' : undefined;
}
