import type {CertificateRef} from '../../domain/x509/describe.js';
import {layout} from '../../domain/mesh/layout.js';
import {kubectlMesh} from '../../domain/suggest/suggestion.js';
import type {GenerateRequest} from '../../operations/certs/generate-facts.js';
import type {GenerateResult} from '../../operations/certs/generate.js';
import {formatFingerprint} from '../../domain/keys/keys.js';
import {printableLine} from '../../domain/printable.js';
import type {ClusterResult} from '../../engine/report.js';
import {allErrorLines, certificateCells, doneNames, outcomeText, table} from '../format.js';
import type {Printed, View, ViewContext} from '../view.js';

/** `certs generate`: a line for the root and for each cluster, then the errors. */
export const certsGenerateView: View<GenerateResult, Partial<Pick<GenerateRequest, 'renew'>>> = {
  text: (result, {now, request, command}) => {
    const rows = [
      row('root CA', result.root, result, now),
      ...result.clusters.map((cluster) => row(cluster.name, cluster, result, now)),
    ];
    return [
      table(['NAME', 'OUTCOME', 'KEY', 'NOT AFTER', 'FINGERPRINT', 'SUBJECT'], rows),
      ...receivedRootLines(result.root),
      ...rootKeyLines(result.root),
      ...result.clusters.flatMap(({name, changes = []}) =>
        changes.map((change) => `${name}: ${printableLine(change)}`),
      ),
      ...(request.renew === true ? renewalLines(result, command) : []),
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

/** Where the root key is, if that is not the work directory: it needs a backup and must be detached. */
function rootKeyLines({keyPath}: Printed<GenerateResult>['root']): readonly string[] {
  return keyPath === undefined || keyPath === layout.rootKey ? [] : [`root CA: its key is ${keyPath}`];
}

/** After a renewal the next command; in a dry run, that the table shows the current CAs. */
function renewalLines({clusters, dryRun}: Printed<GenerateResult>, command: ViewContext['command']): readonly string[] {
  if (dryRun !== undefined) {
    const replaced = clusters.filter(
      ({outcome, action, certificate}) => outcome === 'skipped' && action && certificate,
    );
    const names = replaced.map(({name}) => name).join(', ');
    return replaced.length === 0
      ? []
      : [`${names}: the table shows the current CA; the renewal replaces its key, certificate and fingerprint`];
  }
  const renewed = clusters.filter(({outcome}) => outcome === 'done').map(({name}) => name);
  return renewed.length === 0 ? [] : [`Next: ${command(kubectlMesh('trust push', renewed))}`];
}

interface Line extends Pick<ClusterResult, 'outcome'> {
  readonly action?: string;
  readonly certificate?: CertificateRef;
}

function row(name: string, line: Line, result: Printed<GenerateResult>, now: Date): readonly string[] {
  const {certificate} = line;
  return [name, outcomeText(line, result), ...(certificate ? certificateCells(certificate, now) : [])];
}
