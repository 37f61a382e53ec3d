/** link of many fake clusters, compared with Istio's guide on the same fakes, whose responses are delayed alike for both. */
import {controlPlanes} from '../../test/e2e/harness/control-planes.js';
import {documentedPairs, evenly, programsPerPair, timeOfAllPairs, timePairs} from './documented-link.js';
import {interleave} from './interleave.js';
import {runNode} from './node-usage.js';
import {type BenchContext, defineScenario, once, type Report, type Row, type Size} from './scenario.js';
import {ServedMesh} from './served-mesh.js';
import {ratioOfMedians, spread} from './statistics.js';

/** How many clusters, and of how many of them the guide's commands link each pair. */
interface Mesh {
  readonly clusters: number;
  readonly documented: number;
}

interface Meshes {
  readonly meshes: readonly Mesh[];
  /** Delay of every response. Milliseconds. */
  readonly latencyMs: number;
}

export const linkFakes = defineScenario({
  name: 'link-fakes',
  sizes: {
    full: {
      runs: 3,
      warmUp: false,
      meshes: [
        {clusters: 10, documented: 10},
        {clusters: 50, documented: 8},
      ],
      latencyMs: 50,
    },
    quick: {...once, meshes: [{clusters: 4, documented: 3}], latencyMs: 5},
  },
  title: ({meshes, latencyMs}) =>
    `link: ${meshes.map(({clusters}) => String(clusters)).join(' and ')} clusters, ${String(latencyMs)} ms for each API request`,
  measure,
});

async function measure(context: BenchContext, size: Size & Meshes): Promise<Report> {
  const planes = await controlPlanes(['istioctl']);
  const rows: Row[] = [];
  for (const mesh of size.meshes) rows.push(...(await measureMesh(context, planes.path('istioctl'), size, mesh)));
  return {
    rows,
    notes: [
      'link also proves that every istiod has read its peers; the documented commands end when the Secrets are written.',
      'Both use the real kubectl, with a filled discovery cache. Connections have no latency, and token Secrets are filled at once.',
      'The fakes forward no ports: link starts kubectl to read the pod instead, and waits once more.',
      'All fake API servers share one process, and with it two cores.',
    ],
  };
}

async function measureMesh(
  {program, sandbox, progress}: BenchContext,
  istioctl: string,
  size: Size & Meshes,
  {clusters, documented}: Mesh,
): Promise<readonly Row[]> {
  const served = await ServedMesh.create(sandbox, istioctl, {clusters, latencyMs: size.latencyMs});
  const {environment: env, programs} = served;
  const some = evenly(served.clusters, documented);
  const pairs = documentedPairs(some);
  const all = documentedPairs(served.clusters).length;
  const started = {link: 0, documented: 0};
  const {link, guide} = await interleave(
    {
      async link() {
        served.reset();
        let ms = 0;
        started.link = await programs.during(async () => {
          const args = [program, 'link', '--allow-local-address'];
          ({ms} = await runNode(sandbox, {args, cwd: served.mesh.dir, env}));
        });
        served.requireLinked(served.clusters);
        return ms;
      },
      async guide() {
        served.reset();
        let ms = 0;
        started.documented = await programs.during(async () => {
          ms = timeOfAllPairs(await timePairs(sandbox, pairs, env), clusters);
        });
        served.requireLinked(some);
        return ms;
      },
    },
    size,
    progress,
  );
  const which = `${String(clusters)} clusters`;
  const isPart = pairs.length < all;
  const measured = `${String(pairs.length)} of ${String(all)} pairs`;
  return [
    {
      ...ratioOfMedians(`link, ${which}`, `Istio's guide, ${String(all)} pairs`, spread(link), spread(guide)),
      ...(isPart && {how: `the guide extrapolated from ${measured}`}),
    },
    {kind: 'count', what: `kubectl processes of link, ${which}`, count: started.link},
    {
      kind: 'count',
      what: `processes of the guide, ${which}${isPart ? ` (${String(started.documented)} counted for ${measured})` : ''}`,
      count: isPart ? programsPerPair * all : started.documented,
    },
  ];
}
