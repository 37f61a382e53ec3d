import type {Mesh} from './mesh.js';

/** What `init` and `up` make. */
export const ours: Mesh = {
  id: 'healthy-ours',
  title: 'two primaries, created with `kubectl mesh init` and `up`',
  clusters: [{name: 'one'}, {name: 'two'}],
  build: async ({cli, clusters}) => {
    await cli.must('init', ...clusters.map(({name, context}) => `${name}=${context}`));
    await cli.must('up');
  },
  trueWarnings: {},
};
