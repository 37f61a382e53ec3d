import type {Hint} from './suggest/suggestion.js';

/**
 * What an error means for the person who typed the command. `src/cli/exit-code.ts` is the only place that turns a
 * class into an exit code (docs/exit-codes.md); everything else says a code and lets the table below say the class.
 *
 * - `failed`: something was tried and did not work (exit 1)
 * - `invalid`: wrong usage or invalid input; nothing was tried (exit 2)
 * - `unknown`: it could not be told: unreachable, forbidden, tool or context missing (exit 4)
 * - `refused`: a safety rule stopped it; the hint names the flag that overrides it (exit 5)
 * - `timeout` (exit 124), `interrupted` (exit 130)
 * - `bug`: a state this program should never reach (exit 1, with a stack)
 */
export type ErrorClass = 'failed' | 'invalid' | 'unknown' | 'refused' | 'timeout' | 'interrupted' | 'bug';

/**
 * Every error code of the program and its class. Codes are a promise (they stand in JSON answers); messages are not.
 * A new code is a line here.
 */
export const errorClasses = {
  // usage and input
  USAGE: 'invalid',
  INVALID_CLUSTER_NAME: 'invalid',
  UNKNOWN_CLUSTER: 'invalid',
  NO_CONTEXT: 'invalid',
  CONTRADICTION: 'invalid',
  MESH_YAML_INVALID: 'invalid',
  MESH_YAML_MISSING: 'invalid',
  CONTEXTS_YAML_INVALID: 'invalid',
  OVERLAY_INVALID: 'invalid',
  MISSING_VALUE: 'invalid',
  UNKNOWN_ID: 'invalid',
  // work directory
  WORKDIR_CONFLICT: 'invalid',
  WORKDIR_UNREADABLE: 'invalid',
  WORKDIR_UNWRITABLE: 'failed',
  WORKDIR_LOCKED: 'failed',
  SYMLINK: 'refused',
  KEY_IN_GIT: 'refused',
  FILE_MISSING: 'invalid',
  JOURNAL_BROKEN: 'failed',
  DISK_FULL: 'failed',
  // certificates and keys
  NOT_PEM: 'invalid',
  NOT_A_CERTIFICATE: 'invalid',
  NOT_A_KEY: 'invalid',
  UNSUPPORTED_KEY: 'invalid',
  WRONG_PASSPHRASE: 'invalid',
  PASSPHRASE_NEEDED: 'refused',
  CA_FILES_INVALID: 'invalid',
  ISSUE_FAILED: 'failed',
  /** What a CA returned for a request does not do; the answer lists every reason. */
  CERTIFICATE_REFUSED: 'invalid',
  /** A CA elsewhere signs: `certs generate` cannot. */
  SIGNED_ELSEWHERE: 'refused',
  /** The signer answered, and said no. */
  SIGNER_REFUSED: 'failed',
  /** The signer could not be asked: sealed, standby, locked, unreachable. */
  SIGNER_UNAVAILABLE: 'unknown',
  // tools
  TOOL_MISSING: 'unknown',
  TOOL_TOO_OLD: 'unknown',
  TOOL_OUTPUT: 'unknown',
  TOOL_FAILED: 'failed',
  KUBECONFIG_MISSING: 'unknown',
  CONTEXT_MISSING: 'unknown',
  UNSUPPORTED_FLAG: 'invalid',
  // clusters
  UNREACHABLE: 'unknown',
  UNAUTHORIZED: 'unknown',
  FORBIDDEN: 'unknown',
  NOT_FOUND: 'unknown',
  TOO_EARLY: 'unknown',
  ENDPOINT_OFF: 'unknown',
  CONFLICT: 'failed',
  REJECTED: 'failed',
  WRITE_UNCERTAIN: 'failed',
  API_ERROR: 'unknown',
  NOT_READY: 'failed',
  // safety rules
  CONFIRMATION_NEEDED: 'refused',
  REASON_NEEDED: 'refused',
  UID_MISMATCH: 'refused',
  ROOT_CHANGE: 'refused',
  RESTART_NEEDED: 'refused',
  PUSH_REFUSED_INVALID_CA: 'refused',
  ROOT_KEY_IN_PAYLOAD: 'refused',
  NO_CACERTS: 'refused',
  STALE_INSTALL: 'refused',
  VERSION_CHANGE: 'refused',
  FOREIGN_OWNER: 'refused',
  NOTHING_TO_ROLL_BACK: 'refused',
  // the run itself
  OUTPUT_FAILED: 'failed',
  TIMEOUT: 'timeout',
  INTERRUPTED: 'interrupted',
  INTERNAL: 'bug',
} as const satisfies Record<string, ErrorClass>;

/** The code of an error: a key of {@link errorClasses}. */
export type ErrorCode = keyof typeof errorClasses;

/** What may accompany a {@link MeshError}. */
export interface MeshErrorOptions {
  /** What to type or do next, one sentence each, most useful first. Never repeats the message. */
  readonly hints?: readonly Hint[];
  /** The error below this one. */
  readonly cause?: unknown;
}

/** The one error class of the program: a code, a message that says what is wrong, hints that say what to do. */
export class MeshError extends Error {
  override readonly name = 'MeshError';
  readonly code: ErrorCode;
  readonly hints: readonly Hint[];

  constructor(code: ErrorCode, message: string, options: MeshErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : {cause: options.cause});
    this.code = code;
    this.hints = options.hints ?? [];
  }

  /** The class this error's code belongs to. */
  get class(): ErrorClass {
    return errorClasses[this.code];
  }
}

/** An error as data: what travels in outcomes, JSON answers and the journal. */
export interface ErrorReport {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hints: readonly Hint[];
}

/** Turns anything thrown into a {@link MeshError}; what is not ours becomes `INTERNAL` and keeps its cause. */
export function asMeshError(thrown: unknown): MeshError {
  if (thrown instanceof MeshError) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new MeshError('INTERNAL', message, {cause: thrown});
}

/** The value of an attempt, or what `otherwise` makes of an error of ours: bad input is a finding. Bugs are thrown on. */
export function recover<T, Other>(attempt: () => T, otherwise: (error: MeshError) => Other): T | Other {
  try {
    return attempt();
  } catch (thrown) {
    if (!(thrown instanceof MeshError) || thrown.class === 'bug') throw thrown;
    return otherwise(thrown);
  }
}

/** The data of an error, without stack or cause. */
export function reportError(error: MeshError): ErrorReport {
  return {code: error.code, message: error.message, hints: error.hints};
}

/** An error that is reported and never thrown: why a plan refuses something, or what could not be seen. */
export function problem(code: ErrorCode, message: string, ...hints: readonly Hint[]): ErrorReport {
  return {code, message, hints};
}
