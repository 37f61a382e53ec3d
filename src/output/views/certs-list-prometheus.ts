/** `certs list -o prometheus`: the same for monitoring. docs/monitoring.md says what each metric is for. */
import {type CertificateRole, metricFamilies, type Source} from '../../domain/monitoring/metrics.js';
import type {CertificateSummary} from '../../domain/x509/describe.js';
import {shortFingerprint} from '../../domain/keys/fingerprint.js';
import type {ListedCluster, ListResult} from '../../operations/certs/list.js';
import {type Sample, exposition} from '../formats/prometheus.js';

/** A certificate in the list, wherever it was seen. */
interface Listed extends CertificateSummary {
  readonly role: CertificateRole;
  readonly inUse: boolean;
}

interface Series {
  readonly labels: Readonly<Record<string, string>>;
  readonly certificate: Listed;
}

/** The page, without a final line feed. */
export function certsListPrometheus(result: ListResult): string {
  const {clusters, forecast, rootAgreement} = result;
  const series = seriesOf(result);
  const ofEach = (value: (certificate: Listed) => number): readonly Sample[] =>
    series.map(({labels, certificate}) => ({labels, value: value(certificate)}));
  const live = clusters.flatMap(({name, live: sight}) => (sight ? [{name, sight}] : []));
  const reported = (end: 'caEnd' | 'rootEnd'): readonly Sample[] =>
    live.flatMap(({name, sight}) =>
      sight.reported.flatMap(({pod, ...ends}) => {
        const at = ends[end];
        return at === undefined ? [] : [{labels: {cluster: name, pod}, value: seconds(at)}];
      }),
    );
  return exposition([
    {...metricFamilies.lastRun, samples: [{labels: {}, value: seconds(result.at)}]},
    {...metricFamilies.notAfter, samples: ofEach(({notAfter}) => seconds(notAfter))},
    {...metricFamilies.notBefore, samples: ofEach(({notBefore}) => seconds(notBefore))},
    {...metricFamilies.inUse, samples: ofEach(({inUse}) => Number(inUse)), keep: 'largest'},
    {
      ...metricFamilies.nextRenewal,
      samples: forecast.map(({cluster, nextRenewal}) => ({labels: {cluster}, value: seconds(nextRenewal)})),
    },
    {
      ...metricFamilies.firstOutage,
      samples: forecast.map(({cluster, firstOutage}) => ({labels: {cluster}, value: seconds(firstOutage)})),
    },
    {
      ...metricFamilies.rootAgrees,
      samples: rootAgreement.map(({cluster, source, agrees}) => ({labels: {cluster, source}, value: Number(agrees)})),
    },
    {
      ...metricFamilies.reachable,
      samples: live.map(({name, sight}) => ({labels: {cluster: name}, value: Number(sight.reachable)})),
    },
    {...metricFamilies.readable, samples: readable(result)},
    {...metricFamilies.reportedCaEnd, samples: reported('caEnd')},
    {...metricFamilies.reportedRootEnd, samples: reported('rootEnd')},
  ]);
}

/**
 * A root of the mesh belongs to no cluster, wherever it is seen: one alert, not one for each cluster. An empty label is the
 * same as none.
 */
const ofMesh = '';

function seriesOf({root, clusters}: ListResult): readonly Series[] {
  const meshRoots = new Set(root.certificates.map(({fingerprint}) => fingerprint));
  const one = (cluster: string, source: Source, certificate: Listed): Series => ({
    certificate,
    labels: {
      cluster: meshRoots.has(certificate.fingerprint) ? ofMesh : cluster,
      source,
      role: certificate.role.replaceAll(' ', '_'),
      subject: certificate.subject,
      fingerprint: shortFingerprint(certificate.fingerprint),
    },
  });
  return [
    ...root.certificates.map((certificate) => one(ofMesh, 'workdir', certificate)),
    ...clusters.flatMap(({name, certificates, live}) => [
      ...certificates.map((certificate) => one(name, 'workdir', certificate)),
      ...(live?.certificates ?? []).map((certificate) => one(name, certificate.source, certificate)),
    ]),
  ];
}

function readable({root, clusters}: ListResult): readonly Sample[] {
  const sample = (cluster: string, source: Source, isReadable: boolean): Sample => ({
    labels: {cluster, source},
    value: Number(isReadable),
  });
  const ofFiles = ({name, outcome, error}: ListedCluster): readonly Sample[] =>
    outcome === 'skipped' ? [] : [sample(name, 'workdir', error === undefined)];
  return [
    ...(root.certificates.length > 0 || root.error ? [sample(ofMesh, 'workdir', root.error === undefined)] : []),
    ...clusters.flatMap((cluster) => [
      ...ofFiles(cluster),
      ...Object.entries(cluster.live?.readable ?? {}).map(([source, isReadable]) =>
        // The keys are sources.
        sample(cluster.name, source as Source, isReadable),
      ),
    ]),
  ];
}

function seconds(iso: string): number {
  return Math.floor(Date.parse(iso) / 1000);
}
