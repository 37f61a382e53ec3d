/** When `verify --wait` stops waiting: what can resolve by itself, and what requires the user. */
import type {ErrorCode} from '../errors.js';
import type {Check, Severity} from './check.js';
import {isFailing, isPassing, type Row} from './report.js';

/**
 * Reasons for unknown that last until the user changes the environment of this run: tools, kubeconfig, login, rights, files.
 * All others (no response, a timeout, a missing object) may resolve by themselves.
 */
const userActionRequired: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
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

/** Resolves only with time, often a day, such as the expiry of the last certificate under an old root: too long to wait for. */
const timeRequired: ErrorCode = 'TOO_EARLY';

/**
 * Why waiting does not help: a finding that only the user can fix, a refusal (possibly a transient one), or only reasons
 * that time resolves.
 */
export type TerminalReason = 'finding' | 'refusal' | 'time';

/**
 * Why the rows, which do not pass, will not pass by waiting; undefined if they may. Consequences do not count: they may
 * resolve with their cause.
 */
export function terminalReason(
  rows: readonly Row[],
  checks: readonly Check[],
  failOn: Severity,
): TerminalReason | undefined {
  const causes = rows.filter((row) => row.impliedBy === undefined && !isPassing([row], failOn));
  const userFixed = new Set(checks.filter(({waitable}) => !waitable).map(({id}) => id));
  if (causes.some((row) => userFixed.has(row.id) && isFailing(row, failOn))) return 'finding';
  const reasons = causes.map(({error}) => error?.code);
  if (reasons.some((code) => code !== undefined && userActionRequired.has(code))) return 'refusal';
  return reasons.length > 0 && reasons.every((code) => code === timeRequired) ? 'time' : undefined;
}
