/**
 * What verify wants of istiod's `/metrics`. The text format is Prometheus' (prometheus.io/docs/instrumenting/exposition_formats,
 * version 0.0.4); only the families below are read, and those strictly: a line of theirs that cannot be read is an error.
 *
 * Names and labels: istio/istio security/pkg/server/ca/monitoring.go, pilot/pkg/bootstrap/monitoring.go,
 * pkg/version/version.go. They are exported without a `_total`. A counter is not there before it first counts.
 */
import {defined} from '../../defined.js';
import {MeshError} from '../../errors.js';
import {printableLine} from '../../printable.js';
import type {IstiodMetrics} from '../facts.js';

const families = {
  build: 'istio_build',
  info: 'pilot_info',
  rootEnd: 'citadel_server_root_cert_expiry_timestamp',
  caEnd: 'citadel_server_cert_chain_expiry_timestamp',
  requests: 'citadel_server_csr_count',
  issued: 'citadel_server_success_cert_issuance_count',
  unauthenticated: 'citadel_server_authentication_failure_count',
  signingErrors: 'citadel_server_csr_sign_err_count',
} as const;
const wanted: ReadonlySet<string> = new Set(Object.values(families));

/** istiod's reasons and versions have some 20 letters; more would only fill the screen. */
const longestWord = 100;

interface Sample {
  readonly labels: ReadonlyMap<string, string>;
  readonly value: number;
}

/** Reads them. `pod` names it in messages. Throws `API_ERROR` when the text is not what an istiod says. */
export function readMetrics(text: string, pod: string): IstiodMetrics {
  const samples = readSamples(text, pod);
  const of = (family: keyof typeof families): readonly Sample[] => samples.get(families[family]) ?? [];
  const version =
    of('build')
      .find(({labels}) => labels.get('component') === 'pilot')
      ?.labels.get('tag') ?? of('info')[0]?.labels.get('version');
  if (version === undefined) throw unreadable(pod, `neither ${families.build} nor ${families.info} is there`);
  const count = (family: keyof typeof families): number => total(of(family), families[family], pod);
  const [rootEnd, caEnd] = [end(of('rootEnd'), pod), end(of('caEnd'), pod)];
  const reasons = new Set(of('signingErrors').map(({labels}) => labels.get('error') ?? 'UNKNOWN'));
  return defined({
    version: word(version),
    rootExpiry: rootEnd,
    caExpiry: caEnd,
    requests: count('requests'),
    issued: count('issued'),
    unauthenticated: count('unauthenticated'),
    signingErrors: [...reasons].sort().map((reason) => ({
      reason: word(reason),
      count: total(
        of('signingErrors').filter(({labels}) => (labels.get('error') ?? 'UNKNOWN') === reason),
        families.signingErrors,
        pod,
      ),
    })),
  });
}

function word(text: string): string {
  return printableLine(text.slice(0, longestWord));
}

/** A timestamp in seconds; 0 and nothing both mean that nothing was recorded. */
function end(samples: readonly Sample[], pod: string): Date | undefined {
  const [first] = samples;
  if (first === undefined || first.value === 0) return undefined;
  const date = new Date(first.value * 1000);
  if (Number.isNaN(date.getTime())) throw unreadable(pod, `${String(first.value)} is no time`);
  return date;
}

function total(samples: readonly Sample[], family: string, pod: string): number {
  const sum = samples.reduce((before, {value}) => before + value, 0);
  if (!(sum >= 0 && Number.isFinite(sum))) throw unreadable(pod, `${family} is ${String(sum)}, which is no count`);
  return sum;
}

function readSamples(text: string, pod: string): ReadonlyMap<string, readonly Sample[]> {
  const samples = new Map<string, Sample[]>();
  for (const line of text.split('\n')) {
    const name = /^[a-zA-Z_:][a-zA-Z0-9_:]*/.exec(line)?.[0];
    if (name === undefined || !wanted.has(name)) continue;
    const sample = readSample(line.slice(name.length));
    if (!sample) throw unreadable(pod, `cannot read "${printableLine(line.slice(0, 200))}"`);
    const family = samples.get(name);
    if (family) family.push(sample);
    else samples.set(name, [sample]);
  }
  return samples;
}

/** What follows the name: `{label="value",…} value [timestamp]`. */
function readSample(rest: string): Sample | undefined {
  const labels = new Map<string, string>();
  let at = 0;
  if (rest.startsWith('{')) {
    const label = /\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*=\s*"((?:[^"\\]|\\["\\n])*)"\s*(,|(?=\}))/y;
    at = 1;
    while (rest[at] !== '}') {
      label.lastIndex = at;
      const [whole, name, value] = label.exec(rest) ?? [];
      if (whole === undefined || name === undefined || value === undefined || labels.has(name)) return undefined;
      labels.set(
        name,
        value.replaceAll(/\\(["\\n])/g, (_, escaped: string) => (escaped === 'n' ? '\n' : escaped)),
      );
      at += whole.length;
    }
    at += 1;
  }
  const [, number] = /^[ \t]+(\S+)(?:[ \t]+-?\d+)?[ \t\r]*$/.exec(rest.slice(at)) ?? [];
  // Go's floats as Prometheus prints them; NaN and infinities are no times and no counts.
  if (number === undefined || !/^[+-]?\d+(?:\.\d+)?(?:e[+-]?\d+)?$/i.test(number)) return undefined;
  return {labels, value: Number(number)};
}

function unreadable(pod: string, why: string): MeshError {
  return new MeshError('API_ERROR', `/metrics of ${pod} cannot be read as istiod's: ${why}`);
}
