import {stringify} from 'yaml';
import {fixWith, kubectlMesh, words} from '../../domain/suggest/suggestion.js';
import type {CertManagerResult} from '../../operations/certs/cert-manager.js';
import type {CsrResult, RequestClusterResult} from '../../operations/certs/request.js';
import {shortFingerprint} from '../../domain/keys/keys.js';
import {printableLine} from '../../domain/printable.js';
import {allErrorLines, doneNames, outcomeText, table} from '../format.js';
import type {Printed, View, ViewContext} from '../view.js';

/** `certs request`: the requests, the errors, and the next step. */
export const certsRequestView: View<CsrResult> = {
  text: (result, {command}) =>
    [
      table(
        ['NAME', 'OUTCOME', 'KEY', 'PUBLIC KEY', 'REQUEST', 'SUBJECT'],
        result.clusters.map((cluster) => row(cluster, result)),
      ),
      ...allErrorLines(result),
      ...nextLines(result, command),
    ].join('\n'),
  name: doneNames,
  csr: (result) => result.clusters.flatMap(({request}) => (request ? [request.csr.trimEnd()] : [])).join('\n'),
};

function row(cluster: RequestClusterResult, result: Printed<CsrResult>): readonly string[] {
  const {name, request} = cluster;
  const outcome = outcomeText(cluster, result);
  if (!request) return [name, outcome];
  return [
    name,
    outcome,
    request.key,
    shortFingerprint(request.publicKey),
    request.file,
    printableLine(request.subject),
  ];
}

function nextLines({clusters, dryRun}: Printed<CsrResult>, command: ViewContext['command']): readonly string[] {
  const requested = clusters.filter(({request}) => request !== undefined);
  if (requested.length === 0 || dryRun !== undefined) return [];
  const imports = requested.map(({name}) => command(kubectlMesh('certs import', [name, 'FILE...'])));
  return [
    'Have them signed as CAs with path length 0 (key usage keyCertSign and cRLSign).',
    ...imports.map((text) => `Next: ${text}`),
  ];
}

/** `certs request --cert-manager`: YAML for kubectl, each document with a comment that names its cluster. */
export const certManagerView: View<CertManagerResult> = {
  text: yaml,
  yaml,
  name: ({clusters}) => clusters.map(({name}) => name).join('\n'),
};

function yaml({clusters}: CertManagerResult, {command}: ViewContext): string {
  return clusters
    .map(({name, context, certificate}) => {
      const apply = command(fixWith.kubectl({context}, words`apply -f -`));
      const where = `# For cluster ${name} only: ${printableLine(apply)}`;
      return `${where}\n${stringify(certificate, {lineWidth: 0}).trimEnd()}`;
    })
    .join('\n---\n');
}
