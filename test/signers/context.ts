/** A signer's surroundings for tests: a work directory, and nothing else that answers. */
import type {Sensitive} from '../../src/domain/sensitive.js';
import type {SignerContext} from '../../src/signers/signer-module.js';
import type {Workspace} from '../../src/workspace/workspace.js';

const absent = (what: string) => (): never => {
  throw new Error(`${what} is not part of this test`);
};

/** Members that are not given throw an error. `rootStore` defaults to the work directory. */
export function signerContext(
  workspace: Workspace,
  more: Partial<SignerContext> & {askPassphrase?: () => Promise<Sensitive<string>>} = {},
): SignerContext {
  return {
    workspace,
    dryRun: false,
    confirmation: {
      all: true,
      confirmed: {has: () => Promise.resolve(true), add: absent('the state directory')},
      terminal: {interactive: false, confirm: absent('the terminal')},
      warn: absent('warnings'),
    },
    rootStore: () => workspace,
    readPassphrase: absent('the passphrase'),
    retryPassphrase: () => false,
    clusters: {
      open: absent('clusters'),
      openDetached: absent('clusters'),
      forward: absent('clusters'),
      missingContext: () => Promise.resolve(undefined),
      serverOf: absent('server'),
      close: () => Promise.resolve(),
    },
    runner: absent('the runner'),
    environment: {},
    environmentSecrets: new Map(),
    onDispose: absent('the end of the run'),
    now: () => new Date(),
    signal: new AbortController().signal,
    ...more,
  };
}
