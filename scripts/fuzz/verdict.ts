/** The verdicts on one case, and where they disagree. Pure. */
import {defined} from '../../src/domain/defined.js';
import type {CaInspection} from '../../src/domain/ca/inspect-ca.js';
import type {Case} from './cases.js';
import type {Crash} from './line-process.js';

/** Ours. */
export type Verdict = Inspected | {readonly thrown: string} | Crash;

interface Inspected extends Pick<CaInspection, 'loads' | 'findings'> {
  /** How many different certificates root-cert.pem contains. */
  readonly roots: number;
}

/** A stage of istiod or the agent that failed; both are absent if all passed. */
export interface Stage {
  readonly stage?: string;
  readonly error?: string;
}

/** What ca-loader reports (test/e2e/control-planes/ca-loader). */
export interface Loaded {
  readonly start: Stage;
  readonly reload: Stage;
  readonly agent: Stage;
  /** How many different certificates of root-cert.pem istiod trusts: it skips what it cannot parse. */
  readonly roots: number;
  /** The first certificate that Go cannot parse, and why. */
  readonly unparsed?: string;
  /** Base64. */
  readonly workload?: {readonly chain: string; readonly key: string; readonly roots: string};
}

/** What boringssl.py reports; `error` is absent if both sides accepted each other. */
export interface Handshake {
  readonly error?: string;
}

/** All verdicts on a case. */
export interface Judged {
  readonly subject: Pick<Case, 'index' | 'variant' | 'place' | 'base'>;
  readonly ours: Verdict;
  readonly istiod: Loaded | Crash;
  /** Absent if istiod issued no workload certificate, or BoringSSL was not used. */
  readonly boringssl?: Handshake | Crash;
}

/** How verdicts can disagree. All but the last two make a run fail. */
export const directions = {
  crash: 'our process crashes or throws',
  start: 'valid here, rejected by istiod at start',
  reload: 'valid here, rejected by istiod on reload',
  proxies: 'valid here, rejected by the proxies',
  effect: 'invalid here and rejected by istiod at start, but reported as if istiod would load it',
  reverse: 'not valid here, accepted by istiod at start, on reload, and by the proxies',
} as const;

export type Direction = keyof typeof directions;

export const failing: readonly Direction[] = ['crash', 'start', 'reload', 'proxies'];

/** A case on which the verdicts disagree. */
export interface Disagreement {
  readonly direction: Direction;
  readonly judged: Judged;
  readonly reason: string;
}

/** Every disagreement of a case, at most one for each direction. */
export function disagreements(judged: Judged): readonly Disagreement[] {
  const {ours} = judged;
  const found = (direction: Direction, reason: string): Disagreement => ({direction, judged, reason});
  if ('crashed' in ours) return [found('crash', ours.crashed)];
  if ('thrown' in ours) return [found('crash', ours.thrown.split('\n').slice(0, 2).join(' '))];
  const others = rejections(judged, ours);
  const problems = ours.findings.filter(({severity}) => severity !== 'warning');
  if (ours.loads && problems.length === 0) {
    return (['start', 'reload', 'proxies'] as const).flatMap((consumer) => {
      const reason = others[consumer];
      return reason === undefined ? [] : [found(consumer, reason)];
    });
  }
  if (ours.loads && others.start !== undefined) {
    return [found('effect', `${problems.map(({id}) => id).join(', ')} / ${others.start}`)];
  }
  if (others.start === undefined && others.reload === undefined && others.proxies === undefined) {
    return [found('reverse', problems.map(({id, message}) => `${id}: ${message}`).join('; '))];
  }
  return [];
}

/** Why each consumer rejects the case; nothing for one that accepts it. */
function rejections(
  {istiod, boringssl}: Judged,
  {roots}: Inspected,
): Partial<Record<'start' | 'reload' | 'proxies', string>> {
  if ('crashed' in istiod) return {start: istiod.crashed, reload: istiod.crashed};
  const {start, reload, agent} = istiod;
  const tls = boringssl && ('crashed' in boringssl ? boringssl.crashed : boringssl.error);
  const missing = roots > istiod.roots ? `istiod trusts ${String(istiod.roots)} of ${String(roots)} roots` : undefined;
  const text = ({stage, error = ''}: Stage): string | undefined =>
    stage === undefined ? undefined : [`${stage}: ${shortened(error)}`, istiod.unparsed].filter(Boolean).join(' / ');
  return defined({
    start: text(start) ?? missing,
    reload: text(reload) ?? missing,
    proxies: tls === undefined ? text(agent) : `BoringSSL: ${tls}`,
  });
}

/** istiod's error without the sentences around its cause. */
function shortened(error: string): string {
  return error
    .replace(/^failed to create CA KeyCertBundle \((.*)\)$/, '$1')
    .replace('cannot verify the cert with the provided root chain and cert pool with error: ', '');
}
