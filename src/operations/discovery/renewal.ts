/** `link --cron-manifest`: a CronJob that renews tokens. Reads no cluster. */
import {renewalJob, type RenewalJobOptions, renewalJobText} from '../../domain/discovery/renewal-job.js';
import {renewalSchedule} from '../../domain/discovery/renewal-schedule.js';
import {discoveryPairs} from '../../domain/discovery/pairs.js';
import {renewalShare, shortestLifetimeMs} from '../../domain/discovery/token.js';
import {defined} from '../../domain/defined.js';
import {MeshError} from '../../domain/errors.js';
import {formatDuration} from '../../domain/format.js';
import {layout} from '../../domain/mesh/layout.js';
import type {Mesh} from '../../domain/mesh/mesh.js';
import {dayMs} from '../../domain/time.js';
import type {Deps} from '../../engine/deps.js';
import {emptyPlan, onePhase} from '../../engine/operation.js';
import {loadMesh, type MeshRequest} from '../shared/load-mesh.js';

/** `link --cron-manifest`. */
export interface RenewalRequest extends Pick<MeshRequest, 'istioNamespace'>, Pick<RenewalJobOptions, 'image'> {
  readonly namespace: string | undefined;
  /** Milliseconds; absent: as declared in mesh.yaml. */
  readonly grantedLifetimeMs: number | undefined;
}

/** The result of `link --cron-manifest`. */
export interface RenewalResult {
  readonly schedule: string;
  readonly manifest: object;
  readonly yaml: string;
}

/** `link --cron-manifest` */
export const printRenewal = onePhase<RenewalRequest, RenewalResult, RenewalJobOptions>({
  command: 'link',
  changes: false,
  title: () => 'read mesh.yaml',
  gather: optionsOf,
  plan: () => emptyPlan,
  report: ({facts}) => ({schedule: facts.schedule, manifest: renewalJob(facts), yaml: renewalJobText(facts)}),
  conclude: () => [],
});

async function optionsOf(deps: Deps, request: RenewalRequest): Promise<RenewalJobOptions> {
  const {mesh} = await loadMesh(deps, {clusters: [], istioNamespace: request.istioNamespace});
  const lifetimeMs = lifetimeOf(mesh, request);
  const schedule = renewalSchedule(lifetimeMs, renewalShare);
  if (schedule === undefined) {
    const lifetime = formatDuration(lifetimeMs);
    throw new MeshError('TOKEN_TOO_SHORT', `tokens that live ${lifetime} cannot be renewed in time by an hourly job`, {
      hints: ['use long-lived tokens instead: discovery.token: secret in mesh.yaml'],
    });
  }
  const contexts = await deps.workspace.readText(layout.contextsYaml);
  return defined<RenewalJobOptions>({
    image: request.image,
    namespace: request.namespace,
    schedule,
    acceptShortTokens: lifetimeMs < shortestLifetimeMs,
    files: [layout.meshYaml, ...(contexts === undefined ? [] : [layout.contextsYaml])],
  });
}

/** Throws `USAGE` where nothing has to be renewed. */
function lifetimeOf({discovery, clusters}: Mesh, {grantedLifetimeMs}: RenewalRequest): number {
  if (discovery.token === 'secret') {
    throw new MeshError('USAGE', `no renewal is needed: with discovery.token: secret, tokens do not expire`);
  }
  if (discoveryPairs(clusters).length === 0) {
    throw new MeshError('USAGE', `no renewal is needed: in ${layout.meshYaml}, no cluster reads another one`);
  }
  const declared = discovery.tokenLifetimeDays * dayMs;
  return Math.min(declared, grantedLifetimeMs ?? declared);
}
