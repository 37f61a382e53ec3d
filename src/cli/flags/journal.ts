import {Flags} from '@oclif/core';

/** Flag of commands that can run in a pod, whose work directory is read-only: src/workspace/read-only.ts. */
export const journalFlags = {
  journal: Flags.option({options: ['-'] as const})({
    helpValue: '-',
    description:
      "write the journal to standard output and the result to standard error, and nothing into the work directory; takes no lock, and requires the clusters' UIDs in mesh.yaml",
    helpGroup: 'SAFETY',
  }),
};
