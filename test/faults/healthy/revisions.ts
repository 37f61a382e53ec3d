import {readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import type {Setting} from '../../e2e/harness/mesh.js';
import type {Mesh} from './mesh.js';

/** Says in mesh.yaml which revisions are meant to run. */
function declare({cli}: Setting, revisions: readonly string[]): void {
  const file = join(cli.workDir, 'mesh.yaml');
  const text = readFileSync(file, 'utf8').replace(/^istio:\n(?: .*\n)*/m, '');
  writeFileSync(file, text.replace(/^clusters:/m, `istio:\n  revisions: [${revisions.join(', ')}]\nclusters:`));
}

/** In the middle of a canary upgrade. */
export const revisions: Mesh = {
  id: 'healthy-revisions',
  title: 'two declared revisions, both running',
  clusters: [{name: 'one'}],
  build: async (setting) => {
    const {cli, clusters} = setting;
    await cli.must('init', ...clusters.map(({name, context}) => `${name}=${context}`));
    declare(setting, ['stable']);
    await cli.must('up', '--key-algorithm', 'ecdsa-p256');
    declare(setting, ['stable', 'canary']);
    // The base objects and the ingress gateway are shared: the second revision changes them.
    await cli.must('up', '--yes');
  },
  trueWarnings: {},
};
