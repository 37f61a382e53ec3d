/** What waiting can mend, and what only a person can: when `verify --wait` gives up. */
import type {ErrorCode} from '../errors.js';
import type {Check, Severity} from './check.js';
import {isFailing} from './report.js';
import type {Row} from './report.js';

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

/** Why waiting is of no use. */
export interface Hopeless {
  /** A finding is seen to be so; a refusal is only what somebody answered. */
  readonly because: 'finding' | 'unknown';
}

/**
 * Whether some row keeps the mesh from green that no waiting mends. A consequence says nothing: when its cause goes away,
 * so may it.
 */
export function whyHopeless(rows: readonly Row[], checks: readonly Check[], failOn: Severity): Hopeless | undefined {
  const causes = rows.filter(({impliedBy}) => impliedBy === undefined);
  const byHand = new Set(checks.filter(({waitable}) => !waitable).map(({id}) => id));
  if (causes.some((row) => byHand.has(row.id) && isFailing(row, failOn))) return {because: 'finding'};
  const refused = causes.some(({result, error}) => result === 'unknown' && error && needsAPerson.has(error.code));
  return refused ? {because: 'unknown'} : undefined;
}
