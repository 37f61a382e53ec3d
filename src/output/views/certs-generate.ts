import type {CertificateInShort} from '../../domain/x509/describe.js';
import type {GenerateResult} from '../../operations/certs/generate.js';
import {formatFingerprint, shortFingerprint} from '../../domain/keys/keys.js';
import {printableLine} from '../../domain/printable.js';
import type {ClusterResult} from '../../engine/report.js';
import {allErrorLines, doneNames, outcomeText, table} from '../format.js';
import type {Printed, View} from '../view.js';

/** `certs generate`: a line for the root and for each cluster, then what went wrong. */
export const certsGenerateView: View<GenerateResult> = {
  text: (result) => {
    const rows = [
      row('root CA', result.root, result),
      ...result.clusters.map((cluster) => row(cluster.name, cluster, result)),
    ];
    return [
      table(['NAME', 'OUTCOME', 'KEY', 'NOT AFTER', 'FINGERPRINT', 'SUBJECT'], rows),
      ...taken(result.root),
      ...result.clusters.flatMap(({name, changes = []}) =>
        changes.map((change) => `${name}: ${printableLine(change)}`),
      ),
      ...allErrorLines(result),
    ].join('\n');
  },
  name: doneNames,
};

/** Whoever answered could have sent any root: a person compares it with what the owner of the root publishes. */
function taken({certificate, takenOver}: Printed<GenerateResult>['root']): readonly string[] {
  if (takenOver !== true || !certificate) return [];
  return [`root CA: compare with what its owner publishes: SHA-256 ${formatFingerprint(certificate.fingerprint)}`];
}

interface Line extends Pick<ClusterResult, 'outcome'> {
  readonly action?: string;
  readonly certificate?: CertificateInShort;
}

function row(name: string, line: Line, result: Printed<GenerateResult>): readonly string[] {
  const {certificate} = line;
  const said = outcomeText(line, result);
  if (!certificate) return [name, said];
  const {key, notAfter, fingerprint, subject} = certificate;
  return [name, said, key, notAfter.slice(0, 10), shortFingerprint(fingerprint), printableLine(subject)];
}
