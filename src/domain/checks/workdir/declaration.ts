import {layout} from '../../mesh/layout.js';
import {edit, inWorkDir} from '../../suggest/suggestion.js';
import {workDirCheck, findingsOr, notApplicable, ok} from '../check.js';

/** mesh.yaml can be used. Everything else is judged by what it declares. */
export const declarationCheck = workDirCheck({
  id: 'MESH101',
  title: 'mesh.yaml is valid',
  scope: 'mesh',
  needs: ['declaration'],
  // All that is judged by what it declares; keys lie open and journals are torn whatever it says.
  implies: [
    ...['MESH102', 'MESH103', 'MESH104', 'MESH105', 'MESH108', 'MESH109', 'MESH110', 'MESH111', 'MESH112', 'MESH115'],
    'MESH116',
    ...['MESH2', 'MESH3', 'MESH4', 'MESH5'],
  ],
  judge: ({declaration}) =>
    findingsOr(
      declaration.problems.map((problem) => ({
        observed: problem,
        expected: `a ${fileOf(problem)} that fits its schema`,
        fix: edit(inWorkDir(fileOf(problem))),
      })),
      declaration.present
        ? ok(`${String(declaration.clusters)} clusters declared`, 'a mesh.yaml that fits its schema')
        : notApplicable('there is no mesh.yaml here'),
    ),
  meaning: 'mesh.yaml (and contexts.yaml) can be read, fit their schema, and do not contradict themselves.',
  breaks: 'No command can know which clusters are meant, so none changes anything until the file is mended.',
  byHand: 'cat mesh.yaml contexts.yaml',
  mend: 'The message names file, line, column and field, and what is allowed there. Edit that line.',
  source: 'mesh.schema.json of this program',
});

/** Problems begin with the file, line and column. */
function fileOf(problem: string): string {
  return problem.startsWith(`${layout.contextsYaml}:`) ? layout.contextsYaml : layout.meshYaml;
}
