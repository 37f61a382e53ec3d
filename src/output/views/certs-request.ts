import {kubectlMesh} from '../../domain/suggest/suggestion.js';
import type {CsrResult, RequestClusterResult} from '../../operations/certs/request.js';
import {shortFingerprint} from '../../domain/keys/fingerprint.js';
import {printableLine} from '../../domain/printable.js';
import {table} from '../table.js';
import type {Printed} from '../printed.js';
import type {View, ViewContext} from '../view.js';

/** `certs request`: a line for each cluster, what went wrong, and what to do with the requests. */
export const certsRequestView: View<CsrResult> = {
  text: (result, {command}) => {
    const rows = result.clusters.map((cluster) => row(cluster, result));
    const errors = [
      ...result.errors.map((error) => ({name: '', error})),
      ...result.clusters.flatMap(({name, error}) =>
        error && !result.errors.some(({message}) => message === error.message) ? [{name: `${name}: `, error}] : [],
      ),
    ];
    return [
      table(['NAME', 'OUTCOME', 'KEY', 'PUBLIC KEY', 'REQUEST', 'SUBJECT'], rows),
      ...errors.flatMap(({name, error}) => [`${name}${error.message}`, ...error.hints.map((hint) => `  ${hint}`)]),
      ...next(result, command),
    ].join('\n');
  },
  name: (result) => result.clusters.flatMap(({name, outcome}) => (outcome === 'done' ? [name] : [])).join('\n'),
  csr: (result) => result.clusters.flatMap(({request}) => (request ? [request.csr.trimEnd()] : [])).join('\n'),
};

function row({name, outcome, action, request}: RequestClusterResult, {dryRun}: Printed<CsrResult>): readonly string[] {
  const said = dryRun !== undefined && action !== undefined && outcome === 'skipped' ? `would ${action}` : outcome;
  if (!request) return [name, said];
  return [name, said, request.key, shortFingerprint(request.publicKey), request.file, printableLine(request.subject)];
}

function next({clusters, dryRun}: Printed<CsrResult>, command: ViewContext['command']): readonly string[] {
  const [first] = clusters.filter(({request}) => request !== undefined);
  if (!first || dryRun !== undefined) return [];
  return [
    'Have them signed as CAs with path length 0 (key usage keyCertSign and cRLSign), then:',
    `  ${command(kubectlMesh('certs import', [first.name, 'FILE...']))}`,
  ];
}
