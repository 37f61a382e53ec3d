/** Checks the journal that a changing command is about to extend, and whether a missing one was deleted. */
import {layout} from '../domain/mesh/layout.js';
import {advice, kubectlMesh} from '../domain/suggest/suggestion.js';
import type {Workspace} from '../workspace/workspace.js';
import type {Warning} from './operation.js';

/**
 * Checks the journal before a run extends it. Returns the first problem; undefined for an intact journal, a truncated
 * last line, which the run closes, and a directory without a journal that needs none. Never throws: writing the first
 * entry reports an unreadable file.
 */
export async function journalWarning(workspace: Workspace): Promise<Warning | undefined> {
  const problem = await journalProblem(workspace).catch(() => undefined);
  if (problem === undefined) return undefined;
  return {
    message: advice`${layout.journal} is not intact: ${problem}; check it with: ${kubectlMesh('journal verify')}`,
  };
}

/** Reads the evidence that a missing journal existed; undefined if there is none. Throws `WORKDIR_UNREADABLE`. */
export async function readJournalEvidence(workspace: Workspace): Promise<string | undefined> {
  const [rootCert, meshYaml] = await Promise.all([
    workspace.readText(layout.rootCert),
    workspace.readText(layout.meshYaml),
  ]);
  if (rootCert === undefined) return undefined;
  // It contains the certificate codec.
  const {journalEvidence} = await import('../domain/journal/evidence.js');
  return journalEvidence({rootCert, meshYaml});
}

async function journalProblem(workspace: Workspace): Promise<string | undefined> {
  const {present, faults, archived} = await workspace.journal.read();
  const fault = faults.find(({kind}) => kind !== 'torn');
  if (fault) return present ? `line ${String(fault.line)}: ${fault.message}` : fault.message;
  if (present || archived.length > 0) return undefined;
  const evidence = await readJournalEvidence(workspace);
  return evidence && `the file was not found, although ${evidence}`;
}
