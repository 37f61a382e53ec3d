/** `certs list -o prometheus`: the same for monitoring. docs/monitoring.md describes each metric. */
import {metricFamilies} from '../../domain/monitoring/metrics.js';
import {shortFingerprint} from '../../domain/keys/keys.js';
import type {ListResult} from '../../operations/certs/list.js';
import {type MetricSample, exposition} from '../formats/prometheus.js';
import type {Printed} from '../view.js';
import {ofMesh, type Sighting, sightings} from './certs-list-sightings.js';

type Labels = MetricSample['labels'];

/** The page, without a final line feed. */
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

/** A sample for each item that has a value: a time (ISO 8601) in seconds, or 1 for true and 0 for false. */
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

/** These properties as labels. */
function by<Name extends string>(...names: readonly Name[]): (item: Readonly<Record<Name, string>>) => Labels {
  return (item) => Object.fromEntries(names.map((name) => [name, item[name]]));
}

/**
 * A root of the mesh carries no cluster's name, wherever it is found: one alert, not one for each cluster. An empty label
 * is the same as none.
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

/** Whether each source that contains anything could be read. */
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
