import {layout} from '../../domain/mesh/layout.js';
import {kubectlMesh} from '../../domain/suggest/suggestion.js';
import type {RewriteResult, Rewritten} from '../../operations/certs/rewrite.js';
import type {ClusterResult} from '../../engine/report.js';
import {allErrorLines, doneNames, outcomeText, table} from '../format.js';
import type {View} from '../view.js';

/** `certs rewrite`: a line for root-cert.pem and for each cluster, the next command, then the errors. */
export const certsRewriteView: View<RewriteResult> = {
  text: (result, {command}) => {
    const row = (name: string, line: Rewritten & Pick<ClusterResult, 'outcome'>): readonly string[] => [
      name,
      outcomeText(line, result),
      (line.files ?? []).join(', '),
    ];
    const rewritten = result.clusters.filter(({outcome}) => outcome === 'done').map(({name}) => name);
    return [
      table(
        ['NAME', 'OUTCOME', 'FILES'],
        [row(layout.rootCert, result.root), ...result.clusters.map((cluster) => row(cluster.name, cluster))],
      ),
      ...(rewritten.length === 0 ? [] : [`Next: ${command(kubectlMesh('trust push', rewritten))}`]),
      ...allErrorLines(result),
    ].join('\n');
  },
  name: doneNames,
};
