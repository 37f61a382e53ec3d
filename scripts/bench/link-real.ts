/** link of two clusters with real API servers and istiods, compared with Istio's guide from the same state. */
import {delimiter} from 'node:path';
import type {Resource} from '../../test/e2e/harness/api.js';
import {startSetting} from '../../test/e2e/harness/mesh.js';
import type {Cluster} from '../../test/e2e/harness/cluster.js';
import {eventually} from '../../test/e2e/harness/processes.js';
import {knownClusters} from '../../test/e2e/harness/remote-secrets.js';
import {countedPrograms, programOnPath} from './counted-programs.js';
import {documentedPairs, linkAsDocumented} from './documented-link.js';
import {interleave} from './interleave.js';
import {type BenchContext, defineScenario, once, type Report, type Size} from './scenario.js';
import {ratioOfMedians, spread, sum} from './statistics.js';

export const linkReal = defineScenario({
  name: 'link-real',
  sizes: {full: {runs: 7, warmUp: true}, quick: once},
  title: () => 'link: 2 clusters, real API servers and istiods',
  measure,
});

async function measure({program, sandbox, progress}: BenchContext, size: Size): Promise<Report> {
  const setting = await startSetting({name: 'one'}, {name: 'two'});
  sandbox.onClose(() => setting.sandbox.close());
  const {cli, clusters} = setting;
  await cli.must('init', ...clusters.map(({name, context}) => `${name}=${context}`));
  await cli.must('up', '--key-algorithm', 'ecdsa-p256');
  const {planes} = clusters[0]!;
  const programs = await countedPrograms(sandbox, {
    kubectl: programOnPath('kubectl'),
    istioctl: planes.path('istioctl'),
  });
  const env = {...cli.env, PATH: `${programs.directory}${delimiter}${cli.env.PATH ?? ''}`};
  const pairs = documentedPairs(clusters);
  const started = {link: 0, guide: 0};
  /** Until every istiod has read its peer. */
  const untilRead: number[] = [];
  const {link, guide} = await interleave(
    {
      async link() {
        await reset(clusters);
        let ms = 0;
        started.link = await programs.during(async () => {
          const args = [program, 'link', '--allow-local-address'];
          ({ms} = await sandbox.run({file: process.execPath, args, cwd: cli.workDir, env}));
        });
        return ms;
      },
      async guide(round) {
        await reset(clusters);
        const began = performance.now();
        const times: number[] = [];
        started.guide = await programs.during(async () => {
          for (const pair of pairs) times.push(await linkAsDocumented(sandbox, pair, env));
        });
        await Promise.all(clusters.map((cluster) => eventually('istiod to read its peer', () => hasRead(cluster))));
        if (round > 0) untilRead.push(performance.now() - began);
        return sum(times);
      },
    },
    size,
    progress,
  );
  return {
    rows: [
      ratioOfMedians('link', "Istio's guide", spread(link), spread(guide)),
      ratioOfMedians('link', 'the same, until every istiod has read its peer', spread(link), spread(untilRead)),
      {kind: 'count', what: 'kubectl processes of link', count: started.link},
      {kind: 'count', what: "processes of Istio's guide", count: started.guide},
    ],
    notes: [
      'link waits until each istiod has read its peer, first in one cluster, then in the other; the guide waits for nothing.',
      'istioctl waits a second for the token of a new token Secret.',
    ],
  };
}

/** True once the istiod of a cluster has read another one. */
async function hasRead(cluster: Cluster): Promise<true | undefined> {
  const known = await knownClusters(cluster);
  return known.some(({syncStatus}) => syncStatus === 'synced') ? true : undefined;
}

/** The Secrets that link, istioctl and the guide create. */
const created =
  /^(?:istio-remote-secret-|kubectl-mesh-reader-|istio-reader-service-account-istio-remote-secret-token$)/;

/** Deletes what makes a cluster read another one, and waits until no istiod knows another cluster. */
async function reset(clusters: readonly Cluster[]): Promise<void> {
  for (const {api} of clusters) {
    const path = '/api/v1/namespaces/istio-system/secrets';
    const {items} = await api.get<Resource & {readonly items: readonly Resource[]}>(path);
    for (const {metadata} of items) if (created.test(metadata.name)) await api.remove(`${path}/${metadata.name}`);
  }
  for (const cluster of clusters) {
    await eventually('istiod to forget its peer', async () =>
      (await knownClusters(cluster)).length === 0 ? true : undefined,
    );
  }
}
