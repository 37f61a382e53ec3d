/** Tokens that live for a shorter time than link accepts, by mesh.yaml or by the API server that issues them. */
import {MeshError} from '../errors.js';
import {plural} from '../format.js';
import {layout} from '../mesh/layout.js';
import type {MeshDiscovery} from '../mesh/mesh.js';
import {advice, edit, type Hint, inWorkDir, kubectlMesh, words} from '../suggest/suggestion.js';
import {dayMs, hourMs, minuteMs} from '../time.js';
import {shortestLifetimeMs} from './token.js';

/** Milliseconds. */
interface Lifetimes {
  readonly grantedMs: number;
  readonly requestedMs: number;
  readonly shortestMs: number;
}

/** The error for a token that an API server grants. */
export function grantedTooShort(cluster: string, {grantedMs, requestedMs, shortestMs}: Lifetimes): MeshError {
  const limit = `the API server of ${cluster} limits it to ${lifetime(grantedMs)}`;
  return new MeshError(
    'TOKEN_TOO_SHORT',
    `a token must live at least ${lifetime(shortestMs)}: link requested ${lifetime(requestedMs)}, and ${limit}`,
    {hints: [renewWithJob(grantedMs), 'or declare long-lived tokens in mesh.yaml: discovery.token: secret']},
  );
}

/** The error for the lifetime in mesh.yaml; undefined if link accepts it. */
export function declaredTooShort({token, tokenLifetimeDays}: MeshDiscovery): MeshError | undefined {
  const declaredMs = tokenLifetimeDays * dayMs;
  if (token !== 'bound' || declaredMs >= shortestLifetimeMs) return undefined;
  return new MeshError(
    'TOKEN_TOO_SHORT',
    `a token must live at least ${lifetime(shortestLifetimeMs)}: ${layout.meshYaml} declares ${lifetime(declaredMs)} (discovery.tokenLifetime)`,
    {hints: [advice`declare a longer lifetime: ${edit(inWorkDir(layout.meshYaml))}`, renewWithJob(declaredMs)]},
  );
}

function renewWithJob(lifetimeMs: number): Hint {
  // As the flag accepts it, rounded down.
  const granted =
    lifetimeMs < hourMs ? `${String(whole(lifetimeMs, minuteMs))}m` : `${String(whole(lifetimeMs, hourMs))}h`;
  const job = kubectlMesh('link', words`--cron-manifest --image IMAGE --granted-lifetime ${granted}`);
  return advice`use --accept-short-tokens, and renew them with a CronJob: ${job}`;
}

/** Exact: `2 days`, `167 hours`, `90 minutes`. */
function lifetime(milliseconds: number): string {
  if (milliseconds % dayMs === 0) return plural(milliseconds / dayMs, 'day');
  return milliseconds < 2 * hourMs
    ? plural(whole(milliseconds, minuteMs), 'minute')
    : plural(whole(milliseconds, hourMs), 'hour');
}

function whole(milliseconds: number, unitMs: number): number {
  return Math.floor(milliseconds / unitMs);
}
