import {defined} from '../../domain/defined.js';
import {nodesAddress} from '../../domain/istio/gateway-address.js';
import {printable} from '../../domain/printable.js';
import type {FileChange, PrintResult, RenderedCluster, RenderResult} from '../../operations/install/render.js';
import {failedLines} from '../format.js';
import type {Printed, View} from '../view.js';
import type {AppliedCluster, AppliedGateway, ApplyResult} from '../../operations/install/report-apply.js';

/** `install render`: a line for each cluster, with the changes to an existing file below it. */
export const renderView: View<RenderResult> = {
  text: (result) => result.clusters.flatMap((cluster) => clusterLines(cluster, result.dryRun !== undefined)).join('\n'),
  name: (result) => result.clusters.flatMap(({path, gateway}) => [path, ...(gateway ? [gateway.path] : [])]).join('\n'),
};

/** `install render --output-file -`: the document; with `-o name` the cluster, since no file was written. */
export const printView: View<PrintResult> = {text: ({document}) => document, name: ({cluster}) => cluster};

function clusterLines(cluster: Printed<RenderedCluster>, dryRun: boolean): readonly string[] {
  const {name, outcome, path, change = 'unchanged', kept, diff, gateway, error} = cluster;
  if (error) return failedLines(cluster, error);
  const schema = `Istio ${cluster.istioVersion ?? '?'} from ${cluster.versionFrom ?? '?'}, schema version ${cluster.dialect ?? '?'}`;
  const lines = (file: Printed<FileChange>, note = ''): readonly string[] =>
    fileLines(file, {name, note, isSkipped: outcome === 'skipped', dryRun});
  return [...lines(defined({path, change, kept, diff}), ` (${schema})`), ...(gateway ? lines(gateway) : [])];
}

function fileLines(
  {path, change, kept, diff = []}: Printed<FileChange>,
  {
    name,
    note,
    isSkipped,
    dryRun,
  }: {readonly name: string; readonly note: string; readonly isSkipped: boolean; readonly dryRun: boolean},
): readonly string[] {
  const isPlanned = isSkipped && dryRun && change !== 'unchanged';
  const words = isPlanned ? `would be ${change}` : isSkipped && !dryRun ? 'skipped' : change;
  return [
    `${name}: ${path} ${words}${note}`,
    ...(kept === undefined ? [] : [`  manual edits ${dryRun ? 'would be' : 'were'} saved as ${kept}`]),
    ...diff.map((line) => `  ${printable(line)}`),
  ];
}

/** `install apply`: a line for each cluster, with its error in full. */
export const applyView: View<ApplyResult> = {
  text: (result) =>
    result.clusters
      .flatMap((cluster) => appliedLines(cluster, result.istioctl, result.dryRun !== undefined))
      .join('\n'),
};

const doneWords = {
  install: 'installed',
  replace: 'configuration replaced',
  upgrade: 'upgraded',
  repair: 'applied again',
};
const plannedWords = {
  install: 'would be installed',
  replace: 'configuration would be replaced',
  upgrade: 'would be upgraded',
  repair: 'would be applied again',
};

function appliedLines(cluster: Printed<AppliedCluster>, istioctl: string, dryRun: boolean): readonly string[] {
  const {error, gateway} = cluster;
  if (error) return failedLines(cluster, error);
  return [...installLines(cluster, istioctl, dryRun), ...(gateway ? gatewayLines(gateway, dryRun) : [])];
}

/** The addresses of a gateway, and the objects that changed. */
function gatewayLines(
  {outcome, applied, removed, addresses}: Printed<AppliedGateway>,
  dryRun: boolean,
): readonly string[] {
  const would = dryRun ? 'would be ' : '';
  const shown = addresses.map((address) =>
    address === nodesAddress ? 'the addresses of the nodes' : printable(address),
  );
  return [
    ...applied.map((what) => `  ${printable(what)} ${would}applied`),
    ...removed.map((what) => `  ${printable(what)} ${would}deleted`),
    ...(outcome === 'skipped' && !dryRun ? ['  east-west gateway: not started'] : []),
    ...(shown.length === 0 ? [] : [`  east-west gateway: ${shown.join(', ')}`]),
  ];
}

function installLines(cluster: Printed<AppliedCluster>, istioctl: string, dryRun: boolean): readonly string[] {
  const {name, outcome, change, path, running, gateway} = cluster;
  if (change === 'unchanged' && gateway && outcome !== 'unchanged')
    return [`${name}: Istio ${running ?? istioctl} runs as declared in ${path}`];
  if (outcome === 'unchanged') return [`${name}: unchanged: Istio ${running ?? istioctl} runs as declared in ${path}`];
  if (change === undefined || change === 'unchanged') return [`${name}: ${outcome}`];
  const from = change === 'upgrade' && running !== undefined ? ` from ${running}` : '';
  const also = (words: string): readonly string[] =>
    (cluster.alsoChanges ?? []).map((what) => `  ${words} ${printable(what)}`);
  if (outcome === 'done') {
    return [`${name}: Istio ${istioctl} ${doneWords[change]}${from}, from ${path}`, ...also('also changed')];
  }
  if (!dryRun) return [`${name}: not started`];
  return [`${name}: Istio ${istioctl} ${plannedWords[change]}${from}, from ${path}`, ...also('would also change')];
}
