/** `certs list -o prometheus`: metrics, which docs/monitoring.md describes. */
import {metricFamilies} from '../../domain/monitoring/metrics.js';
import {shortFingerprint} from '../../domain/keys/keys.js';
import type {ListResult} from '../../operations/certs/list.js';
import {type MetricSample, exposition} from '../formats/prometheus.js';
import type {Printed} from '../view.js';
import {ofMesh, type Sighting, sightings} from './certs-list-sightings.js';

type Labels = MetricSample['labels'];

/** Returns the metrics without a final line feed. */
export function certsListPrometheus(result: Printed<ListResult>): string {
  const {clusters, forecast, rootAgreement} = result;
  const all = sightings(result);
  const live = clusters.flatMap(({name, live: state}) => (state ? [{cluster: name, ...state}] : []));
  const reported = live.flatMap(({cluster, reported}) => reported.map((one) => ({cluster, ...one})));
  return exposition([
    {...metricFamilies.lastRun, samples: samples([result], ({at}) => at)},
    {...metricFamilies.notAfter, samples: samples(all, ({certificate}) => certificate.notAfter, labelsOf)},
    {...metricFamilies.notBefore, samples: samples(all, ({certificate}) => certificate.notBefore, labelsOf)},
    {...metricFamilies.inUse, samples: samples(all, ({certificate}) => certificate.inUse, labelsOf), keep: 'largest'},
    {...metricFamilies.nextRenewal, samples: samples(forecast, ({nextRenewal}) => nextRenewal, by('cluster'))},
    {...metricFamilies.firstOutage, samples: samples(forecast, ({firstOutage}) => firstOutage, by('cluster'))},
    {...metricFamilies.rootAgrees, samples: samples(rootAgreement, ({agrees}) => agrees, by('cluster', 'source'))},
    {...metricFamilies.reachable, samples: samples(live, ({reachable}) => reachable, by('cluster'))},
    {
      ...metricFamilies.readable,
      samples: samples(readable(result), ({isReadable}) => isReadable, by('cluster', 'source')),
    },
    {...metricFamilies.reportedCaExpiry, samples: samples(reported, ({caEnd}) => caEnd, by('cluster', 'pod'))},
    {...metricFamilies.reportedRootExpiry, samples: samples(reported, ({rootEnd}) => rootEnd, by('cluster', 'pod'))},
  ]);
}

/** Returns a sample for each item with a value: a time (ISO 8601) as seconds, true as 1, false as 0. */
function samples<Item>(
  items: readonly Item[],
  valueOf: (item: Item) => string | boolean | undefined,
  labels: (item: Item) => Labels = () => ({}),
): readonly MetricSample[] {
  return items.flatMap((item) => {
    const value = valueOf(item);
    if (value === undefined) return [];
    const number = typeof value === 'string' ? Math.floor(Date.parse(value) / 1000) : Number(value);
    return [{labels: labels(item), value: number}];
  });
}

/** Returns a function that turns these properties into labels. */
function by<Name extends string>(...names: readonly Name[]): (item: Readonly<Record<Name, string>>) => Labels {
  return (item) => Object.fromEntries(names.map((name) => [name, item[name]]));
}

/**
 * A root of the mesh has no cluster label, wherever it is found, so that it causes one alert instead of one for each
 * cluster. To Prometheus, an empty label is the same as none.
 */
function labelsOf({owner, source, certificate: {role, subject, fingerprint}}: Sighting): Labels {
  return {
    cluster: owner,
    source,
    role: role.replaceAll(' ', '_'),
    subject,
    fingerprint: shortFingerprint(fingerprint),
  };
}

/** Reports for each source that is not empty whether it could be read. */
function readable({root, clusters}: Printed<ListResult>) {
  const rootIsReadable = root.certificates.length > 0 || root.error ? [root.error === undefined] : [];
  return [
    ...rootIsReadable.map((isReadable) => ({cluster: ofMesh, source: 'workdir', isReadable})),
    ...clusters.flatMap(({name, outcome, error, live}) =>
      Object.entries({...(outcome !== 'skipped' && {workdir: error === undefined}), ...live?.readable}).map(
        ([source, isReadable]) => ({cluster: name, source, isReadable}),
      ),
    ),
  ];
}
