import type {Hint} from './suggest/suggestion.js';

/**
 * What an error means to the user. `src/cli/exit-code.ts` is the only place that turns a class into an exit code
 * (docs/exit-codes.md); all other code uses an error code, whose class is in the table below.
 *
 * - `failed`: an operation was attempted and failed (exit 1)
 * - `invalid`: wrong usage or invalid input; nothing was attempted (exit 2)
 * - `unknown`: the state could not be determined: unreachable, forbidden, tool or context missing (exit 4)
 * - `refused`: a safety rule stopped the command; the hint names the flag that overrides the rule (exit 5)
 * - `timeout` (exit 124), `interrupted` (exit 130)
 * - `bug`: a state that this program must never reach (exit 1, with a stack trace)
 */
export type ErrorClass = 'failed' | 'invalid' | 'unknown' | 'refused' | 'timeout' | 'interrupted' | 'bug';

/**
 * Every error code of the program and its class. Codes are a stable interface (JSON output contains them); messages are
 * not. Add a new code here.
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
  /** A certificate outside the profile that this program understands: istiod or proxies may refuse it. */
  NOT_PROVEN: 'unknown',
  UNSUPPORTED_KEY: 'invalid',
  WRONG_PASSPHRASE: 'invalid',
  PASSPHRASE_NEEDED: 'refused',
  CA_FILES_INVALID: 'invalid',
  ISSUE_FAILED: 'failed',
  /** The chain that a CA returned for a request is not acceptable; the result lists every reason. */
  CERTIFICATE_REFUSED: 'invalid',
  /** An external CA signs: `certs generate` cannot. */
  SIGNED_ELSEWHERE: 'refused',
  /** The signer rejected the request. */
  SIGNER_REFUSED: 'failed',
  /** The signer cannot be used: sealed, standby, locked, unreachable. */
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
  /** An API server does not accept a token that it issued. */
  TOKEN_NOT_ACCEPTED: 'failed',
  /** istiod did not read a cluster through its new remote secret. */
  NOT_SYNCED: 'failed',
  // safety rules
  CONFIRMATION_NEEDED: 'refused',
  REASON_NEEDED: 'refused',
  /** mesh.yaml names a program or a server that the user has not confirmed. */
  MESH_YAML_NOT_TRUSTED: 'refused',
  UID_MISMATCH: 'refused',
  ROOT_CHANGE: 'refused',
  RESTART_NEEDED: 'refused',
  /** istiod reads its CA from another place than Secret cacerts. */
  CACERTS_NOT_MOUNTED: 'refused',
  PUSH_REFUSED_INVALID_CA: 'refused',
  ROOT_KEY_IN_PAYLOAD: 'refused',
  PRIVATE_KEY_IN_PAYLOAD: 'refused',
  /** A private key in a file or data key that everyone may read: it is compromised. */
  PRIVATE_KEY_PUBLISHED: 'refused',
  NO_CACERTS: 'refused',
  STALE_INSTALL: 'refused',
  VERSION_CHANGE: 'refused',
  FOREIGN_OWNER: 'refused',
  GATEWAY_API_MISSING: 'refused',
  /** Kubernetes no longer serves an API that this Istio version needs. */
  KUBERNETES_VERSION: 'refused',
  CLUSTER_RENAME: 'refused',
  NOTHING_TO_ROLL_BACK: 'refused',
  /** Istio is not installed where a command needs its istiod. */
  NO_ISTIOD: 'refused',
  /** A cluster lacks the service account as which others read it. */
  READER_MISSING: 'refused',
  /** Pods of other clusters cannot use an API server's address. */
  LOCAL_ADDRESS: 'refused',
  /** The kubeconfig does not verify an API server's certificate. */
  INSECURE_API_SERVER: 'refused',
  /** The URL of an API server or of a proxy contains a password, which others would get. */
  URL_CREDENTIALS: 'refused',
  /** An API server grants a token for a shorter time than is practical. */
  TOKEN_TOO_SHORT: 'refused',
  /** The running Istio version loses endpoints when a remote secret changes. */
  LOSES_ENDPOINTS: 'refused',
  /** istiod reads a cluster from another Secret than the one that link writes. */
  OTHER_REMOTE_SECRET: 'refused',
  // the run itself
  OUTPUT_FAILED: 'failed',
  TIMEOUT: 'timeout',
  INTERRUPTED: 'interrupted',
  INTERNAL: 'bug',
} as const satisfies Record<string, ErrorClass>;

/** The code of an error: a key of {@link errorClasses}. */
export type ErrorCode = keyof typeof errorClasses;

/** Options of a {@link MeshError}. */
export interface MeshErrorOptions {
  /** What to do next, one sentence each, the most useful first. A hint never repeats the message. */
  readonly hints?: readonly Hint[];
  /** The underlying error. */
  readonly cause?: unknown;
}

/** The only error class of the program: a code, a message that describes the problem, and hints for solving it. */
export class MeshError extends Error {
  override readonly name = 'MeshError';
  readonly code: ErrorCode;
  readonly hints: readonly Hint[];

  constructor(code: ErrorCode, message: string, options: MeshErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : {cause: options.cause});
    this.code = code;
    this.hints = options.hints ?? [];
  }

  /** The class of the error's code. */
  get class(): ErrorClass {
    return errorClasses[this.code];
  }
}

/** An error as data, as outcomes, JSON output and the journal contain it. */
export interface ErrorReport {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hints: readonly Hint[];
}

/** What an error of a command that only reads means for its exit code: a failed request is not a failed change. */
export function codeOfFailedRead(code: ErrorCode): ErrorCode {
  return errorClasses[code] === 'failed' ? 'API_ERROR' : code;
}

/** Turns anything thrown into a {@link MeshError}; a foreign error becomes the cause of an `INTERNAL` one. */
export function asMeshError(thrown: unknown): MeshError {
  if (thrown instanceof MeshError) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new MeshError('INTERNAL', message, {cause: thrown});
}

/** Returns the result of `attempt`, or of `otherwise` if it throws a MeshError. Bugs and foreign errors are rethrown. */
export function recover<T, Other>(attempt: () => T, otherwise: (error: MeshError) => Other): T | Other {
  try {
    return attempt();
  } catch (thrown) {
    if (!(thrown instanceof MeshError) || thrown.class === 'bug') throw thrown;
    return otherwise(thrown);
  }
}

/** Returns an error's data, without its stack and cause. */
export function reportError(error: MeshError): ErrorReport {
  return {code: error.code, message: error.message, hints: error.hints};
}

/** Creates an error that is reported, not thrown: why a plan refuses a change, or why a fact is unknown. */
export function problem(code: ErrorCode, message: string, ...hints: readonly Hint[]): ErrorReport {
  return {code, message, hints};
}
