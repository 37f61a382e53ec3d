import type {CertificateRef} from '../../domain/x509/describe.js';
import type {GenerateResult} from '../../operations/certs/generate.js';
import {formatFingerprint} from '../../domain/keys/keys.js';
import {printableLine} from '../../domain/printable.js';
import type {ClusterResult} from '../../engine/report.js';
import {allErrorLines, certificateCells, doneNames, outcomeText, table} from '../format.js';
import type {Printed, View} from '../view.js';

/** `certs generate`: a line for the root and for each cluster, then the errors. */
export const certsGenerateView: View<GenerateResult> = {
  text: (result, {now}) => {
    const rows = [
      row('root CA', result.root, result, now),
      ...result.clusters.map((cluster) => row(cluster.name, cluster, result, now)),
    ];
    return [
      table(['NAME', 'OUTCOME', 'KEY', 'NOT AFTER', 'FINGERPRINT', 'SUBJECT'], rows),
      ...receivedRootLines(result.root),
      ...result.clusters.flatMap(({name, changes = []}) =>
        changes.map((change) => `${name}: ${printableLine(change)}`),
      ),
      ...allErrorLines(result),
    ].join('\n');
  },
  name: doneNames,
};

/** A root that was not created here is not authenticated: the user must compare its fingerprint. */
function receivedRootLines({certificate, takenOver}: Printed<GenerateResult>['root']): readonly string[] {
  if (takenOver !== true || !certificate) return [];
  return [`root CA: verify its fingerprint with its owner: SHA-256 ${formatFingerprint(certificate.fingerprint)}`];
}

interface Line extends Pick<ClusterResult, 'outcome'> {
  readonly action?: string;
  readonly certificate?: CertificateRef;
}

function row(name: string, line: Line, result: Printed<GenerateResult>, now: Date): readonly string[] {
  const {certificate} = line;
  return [name, outcomeText(line, result), ...(certificate ? certificateCells(certificate, now) : [])];
}
