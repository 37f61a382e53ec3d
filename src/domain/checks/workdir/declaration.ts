import {layout} from '../../mesh/layout.js';
import {edit, inWorkDir} from '../../suggest/suggestion.js';
import {workDirCheck, findingsOr, notApplicable, ok} from '../check.js';

/** mesh.yaml is usable. All other checks compare with its declarations. */
export const declarationCheck = workDirCheck({
  id: 'MESH101',
  title: 'mesh.yaml is valid',
  scope: 'mesh',
  requires: ['declaration'],
  // All checks that depend on its declarations. File modes, the root key, the journal and git history do not.
  implies: [
    ...['MESH102', 'MESH103', 'MESH104', 'MESH105', 'MESH108', 'MESH109', 'MESH110', 'MESH111', 'MESH112', 'MESH115'],
    ...['MESH116', 'MESH118'],
    ...['MESH2', 'MESH3', 'MESH4', 'MESH5', 'MESH6'],
  ],
  judge: ({declaration}) =>
    findingsOr(
      declaration.problems.map((problem) => ({
        observed: problem,
        expected: `a ${fileOf(problem)} that matches its schema`,
        fix: edit(inWorkDir(fileOf(problem))),
      })),
      declaration.present
        ? ok(`${String(declaration.clusters)} clusters declared`, 'a mesh.yaml that matches its schema')
        : notApplicable('no mesh.yaml'),
    ),
  meaning: 'mesh.yaml and contexts.yaml, if they exist, are readable, match their schemas and are consistent.',
  breaks: 'Commands cannot determine the clusters of the mesh, and make no changes until the file is fixed.',
  byHand: 'cat mesh.yaml contexts.yaml',
  fix: 'Edit the line that the message names. The message contains the file, line, column, field and allowed values.',
  source: 'mesh.schema.json',
});

/** Problems start with file, line and column. */
function fileOf(problem: string): string {
  return problem.startsWith(`${layout.contextsYaml}:`) ? layout.contextsYaml : layout.meshYaml;
}
