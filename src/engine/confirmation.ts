/** Requirements before a change: a reason (`audit.reasonRequired`), and confirmation of what is replaced or deleted. */
import {MeshError} from '../domain/errors.js';
import {layout} from '../domain/mesh/layout.js';
import type {Action} from './action.js';
import type {Deps, PassphraseSource} from './deps.js';
import type {ExecuteContext, Group} from './operation.js';
import {plannedActions} from './report.js';

/** The actions that change neither a cluster nor the work directory: they wait and read, or write what the user requested. */
const unrecorded: ReadonlySet<Action['kind']> = new Set([
  'await-address',
  'await-bundle',
  'await-discovery',
  'await-unlinked',
  'send-requests',
  'write-manifests',
]);

/** Whether the journal records an action. */
export function isRecorded({kind}: Action): boolean {
  return !unrecorded.has(kind);
}

/**
 * Enforces `audit.reasonRequired` of mesh.yaml before any prompt. Throws `REASON_NEEDED`, and `MESH_YAML_INVALID`: a
 * file that cannot be read must not bypass the rule.
 */
export async function requireReason(groups: readonly Group[], context: ExecuteContext): Promise<void> {
  if (plannedActions({groups}).some(isRecorded)) await requireReasonIfConfigured(context);
}

/**
 * Checks for a reason before each passphrase prompt, including those of the gather step, so that nobody types a
 * passphrase for a change that is then refused.
 */
export function withReasonCheck(context: ExecuteContext): Deps {
  const guard = (source: PassphraseSource): PassphraseSource => ({
    ...source,
    get: async (purpose, path) => {
      await requireReasonIfConfigured(context);
      return source.get(purpose, path);
    },
  });
  const {deps} = context;
  return {...deps, passphrases: guard(deps.passphrases), newPassphrases: guard(deps.newPassphrases)};
}

async function requireReasonIfConfigured({deps, settings}: ExecuteContext): Promise<void> {
  if (settings.reason !== undefined) return;
  const text = await deps.workspace.readText(layout.meshYaml);
  if (text === undefined) return;
  const {parseMeshFile} = await import('../domain/mesh/parse.js');
  if (parseMeshFile(text).audit?.reasonRequired !== true) return;
  throw new MeshError('REASON_NEEDED', `${layout.meshYaml} requires a reason for each change (audit.reasonRequired)`, {
    hints: [
      'give it with --reason "…" or KUBECTL_MESH_REASON: it is recorded in the journal',
      'to see what would change, use --dry-run',
    ],
  });
}

/**
 * Prompts once for everything that is replaced or deleted (docs/architecture.md). Without a terminal, `--yes` is
 * required. Throws `CONFIRMATION_NEEDED`.
 */
export async function confirm(
  groups: readonly Group[],
  confirmed: Set<string>,
  context: ExecuteContext,
): Promise<void> {
  const {deps, settings, report} = context;
  const prompts = promptsOf(groups).filter((prompt) => !confirmed.has(prompt));
  if (settings.yes || prompts.length === 0) return;
  const list = prompts.join('; ');
  const instead = plannedActions({groups}).flatMap(({confirm: what, confirmHints = []}) => (what ? confirmHints : []));
  if (!deps.terminal.interactive) {
    throw new MeshError('CONFIRMATION_NEEDED', `confirmation required, but no terminal is attached: ${list}`, {
      hints: [...instead, 'preview the change with --dry-run, then confirm it with --yes (-y)'],
    });
  }
  report({type: 'planned', groups});
  if (!(await deps.terminal.confirm(`${list}. Continue?`))) {
    throw new MeshError('CONFIRMATION_NEEDED', `not confirmed: ${list}`, {hints: ['nothing was changed', ...instead]});
  }
  for (const prompt of prompts) confirmed.add(prompt);
}

/** The changes that require confirmation, in execution order: "cluster1: replace Secret istio-system/cacerts". */
export function promptsOf(groups: readonly Group[]): readonly string[] {
  return plannedActions({groups}).flatMap(({confirm: what, cluster}) =>
    what === undefined ? [] : [cluster === undefined ? what : `${cluster}: ${what}`],
  );
}
