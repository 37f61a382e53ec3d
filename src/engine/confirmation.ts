/** What a person must say before anything is changed: a reason (`audit.reasonRequired`), and agreement to what is lost. */
import {MeshError} from '../domain/errors.js';
import {layout} from '../domain/mesh/layout.js';
import type {Action} from './action.js';
import type {Deps, PassphraseSource} from './deps.js';
import type {ExecuteContext, Group} from './operation.js';
import {plannedActions} from './report.js';

/** Whether an action is recorded in the journal: one that only waits and reads is not. */
export function isRecorded({kind}: Action): boolean {
  return kind !== 'await-bundle';
}

/**
 * Holds a change to `audit.reasonRequired` of mesh.yaml, before anybody is asked anything. Throws `REASON_NEEDED`, and
 * `MESH_YAML_INVALID`: a file that cannot be read is no way around it.
 */
export async function requireReason(groups: readonly Group[], context: ExecuteContext): Promise<void> {
  if (plannedActions({groups}).some(isRecorded)) await requireReasonIfConfigured(context);
}

/**
 * Nobody types a passphrase for a change that is then refused for its missing reason: what a phase asks for while it
 * still looks is held to the same rule.
 */
export function withReasonCheck(context: ExecuteContext): Deps {
  const guard = (source: PassphraseSource): PassphraseSource => ({
    available: source.available,
    get: async (purpose) => {
      await requireReasonIfConfigured(context);
      return source.get(purpose);
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
  throw new MeshError('REASON_NEEDED', `${layout.meshYaml} asks for a reason for each change (audit.reasonRequired)`, {
    hints: [
      'say it with --reason "…" or KUBECTL_MESH_REASON: it is recorded in the journal',
      'see first what would change: --dry-run',
    ],
  });
}

/**
 * Asks once for everything that replaces or deletes (docs/architecture.md). Without a terminal `--yes` must have been said.
 * Throws `CONFIRMATION_NEEDED`.
 */
export async function confirm(groups: readonly Group[], agreed: Set<string>, context: ExecuteContext): Promise<void> {
  const {deps, settings, report} = context;
  const questions = promptsOf(groups).filter((question) => !agreed.has(question));
  if (settings.yes || questions.length === 0) return;
  const list = questions.join('; ');
  if (!deps.terminal.interactive) {
    throw new MeshError('CONFIRMATION_NEEDED', `This must be agreed to, and there is no terminal to ask on: ${list}`, {
      hints: ['See what would change with --dry-run, then agree with --yes (-y)'],
    });
  }
  report({type: 'planned', groups});
  if (!(await deps.terminal.confirm(`${list}. Go on?`))) {
    throw new MeshError('CONFIRMATION_NEEDED', `Not agreed to: ${list}`, {hints: ['Nothing was changed']});
  }
  for (const question of questions) agreed.add(question);
}

/** What must be agreed to, in the order it will be done: "cluster1: replace Secret istio-system/cacerts". */
export function promptsOf(groups: readonly Group[]): readonly string[] {
  return plannedActions({groups}).flatMap(({confirm: what, cluster}) =>
    what === undefined ? [] : [cluster === undefined ? what : `${cluster}: ${what}`],
  );
}
