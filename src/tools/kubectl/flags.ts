/** Flags of ours that are kubectl's: handed on to every kubectl process. */
export interface KubectlFlags {
  readonly kubeconfig?: string | undefined;
  readonly as?: string | undefined;
  readonly asGroups?: readonly string[] | undefined;
}

/** The flags as arguments, with the context. */
export function kubectlArgs(flags: KubectlFlags, context: string): readonly string[] {
  return [
    ...(flags.kubeconfig === undefined ? [] : [`--kubeconfig=${flags.kubeconfig}`]),
    `--context=${context}`,
    ...(flags.as === undefined ? [] : [`--as=${flags.as}`]),
    ...(flags.asGroups ?? []).map((group) => `--as-group=${group}`),
  ];
}
