/** istioctl's own version, as `istioctl version -o json --remote=false` prints it (F4). */
export interface IstioctlVersion {
  /** As printed: `1.31.0`, or `unknown` for a development build. */
  readonly version: string;
  /** Parsed; undefined when the build does not say a version. */
  readonly parsed?: {readonly major: number; readonly minor: number; readonly patch: number};
}

/** What a finished istioctl run said. */
export interface IstioctlRun {
  readonly exitCode: number;
  /** Standard output and standard error in the order they came, without control characters. */
  readonly output: string;
}

/** The user's istioctl. */
export interface Istioctl {
  /** Throws `TOOL_MISSING`, `TOOL_OUTPUT`. Asked once per command. */
  version(): Promise<IstioctlVersion>;
  /**
   * Runs istioctl with `--context` and `--kubeconfig` added. A non-zero exit is an answer, not an exception. Throws
   * `TOOL_MISSING`, `UNSUPPORTED_FLAG` (with `--as`, which istioctl has not in all versions), `TIMEOUT`, `INTERRUPTED`.
   */
  run(request: {
    readonly context: string;
    readonly args: readonly string[];
    readonly timeoutMs: number;
    readonly onLine?: (line: string) => void;
  }): Promise<IstioctlRun>;
}
