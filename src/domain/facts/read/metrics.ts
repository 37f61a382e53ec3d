/**
 * Reads istiod's `/metrics` in the Prometheus text format (prometheus.io/docs/instrumenting/exposition_formats, version 0.0.4).
 * Only the families below are read, and strictly: an unreadable line of theirs is an error.
 *
 * Names and labels: istio/istio security/pkg/server/ca/monitoring.go, pilot/pkg/bootstrap/monitoring.go,
 * pkg/version/version.go. They are exported without `_total`. A counter is absent until it is first incremented.
 */
import {defined} from '../../defined.js';
import {MeshError} from '../../errors.js';
import {groupBy} from '../../group-by.js';
import {printableLine} from '../../printable.js';
import type {IstiodMetrics} from '../facts.js';

const families = {
  build: 'istio_build',
  info: 'pilot_info',
  rootExpiry: 'citadel_server_root_cert_expiry_timestamp',
  caExpiry: 'citadel_server_cert_chain_expiry_timestamp',
  requests: 'citadel_server_csr_count',
  issued: 'citadel_server_success_cert_issuance_count',
  unauthenticated: 'citadel_server_authentication_failure_count',
  signingErrors: 'citadel_server_csr_sign_err_count',
} as const;
const wanted: ReadonlySet<string> = new Set(Object.values(families));

/** istiod has about ten reasons for errors, and one sample of every other family. */
const maxSamples = 1000;

/** istiod's reasons and versions have about 20 characters; longer texts are cut off. */
const maxTextLength = 100;

interface Sample {
  readonly labels: ReadonlyMap<string, string>;
  readonly value: number;
}

/** Reads a response. `pod` is for messages. Throws `API_ERROR` if the text is not from an istiod. */
export function readMetrics(text: string, pod: string): IstiodMetrics {
  const samples = readSamples(text, pod);
  const of = (family: keyof typeof families): readonly Sample[] => samples.get(families[family]) ?? [];
  const version =
    of('build')
      .find(({labels}) => labels.get('component') === 'pilot')
      ?.labels.get('tag') ?? of('info')[0]?.labels.get('version');
  if (version === undefined) throw unreadable(pod, `neither ${families.build} nor ${families.info} is present`);
  const count = (family: keyof typeof families): number => total(of(family), families[family], pod);
  const [rootExpiry, caExpiry] = [expiryOf(of('rootExpiry'), pod), expiryOf(of('caExpiry'), pod)];
  const byReason = groupBy(of('signingErrors'), ({labels}) => labels.get('error') ?? 'UNKNOWN');
  return defined({
    version: shortened(version),
    rootExpiry,
    caExpiry,
    requests: count('requests'),
    issued: count('issued'),
    unauthenticated: count('unauthenticated'),
    signingErrors: [...byReason]
      .toSorted(([one], [other]) => (one < other ? -1 : 1))
      .map(([reason, those]) => ({reason: shortened(reason), count: total(those, families.signingErrors, pod)})),
  });
}

function shortened(text: string): string {
  return printableLine(text.slice(0, maxTextLength));
}

/** A timestamp in seconds. Both 0 and a missing sample mean that none was recorded. */
function expiryOf(samples: readonly Sample[], pod: string): Date | undefined {
  const [first] = samples;
  if (first === undefined || first.value === 0) return undefined;
  const date = new Date(first.value * 1000);
  if (Number.isNaN(date.getTime())) throw unreadable(pod, `${String(first.value)} is not a timestamp`);
  return date;
}

function total(samples: readonly Sample[], family: string, pod: string): number {
  const sum = samples.reduce((subtotal, {value}) => subtotal + value, 0);
  if (!(sum >= 0 && Number.isFinite(sum))) throw unreadable(pod, `${family} is ${String(sum)}, which is not a count`);
  return sum;
}

function readSamples(text: string, pod: string): ReadonlyMap<string, readonly Sample[]> {
  const samples = new Map<string, Sample[]>();
  for (const line of text.split('\n')) {
    const name = /^[a-zA-Z_:][a-zA-Z0-9_:]*/.exec(line)?.[0];
    if (name === undefined || !wanted.has(name)) continue;
    const sample = readSample(line.slice(name.length));
    if (!sample) throw unreadable(pod, `cannot read "${printableLine(line.slice(0, 200))}"`);
    const family = samples.get(name) ?? [];
    if (family.length === maxSamples) throw unreadable(pod, `${name} has more than ${String(maxSamples)} samples`);
    samples.set(name, family);
    family.push(sample);
  }
  return samples;
}

/** Reads the part after the name: `{label="value",…} value [timestamp]`. */
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
  // Go's floats as Prometheus prints them; NaN and infinities are neither timestamps nor counts.
  if (number === undefined || !/^[+-]?\d+(?:\.\d+)?(?:e[+-]?\d+)?$/i.test(number)) return undefined;
  return {labels, value: Number(number)};
}

function unreadable(pod: string, reason: string): MeshError {
  return new MeshError('API_ERROR', `cannot read /metrics of ${pod}: ${reason}`);
}
