import type {ExportLinkResult} from '../../operations/discovery/export-link.js';
import type {RenewalResult} from '../../operations/discovery/renewal.js';
import {failedLines, withoutRepeatedHints} from '../format.js';
import type {View} from '../view.js';

/** `link --output-dir`: the paths of the files; with `-` their text. Errors take the place of both. */
export const exportLinkView: View<ExportLinkResult> = {
  text({clusters, files, directory, dryRun}) {
    const errors = clusters.flatMap((cluster) => (cluster.error ? failedLines(cluster, cluster.error) : []));
    if (errors.length > 0) return withoutRepeatedHints(errors).join('\n');
    if (directory === undefined) return files.map(({text}) => text.trimEnd()).join('\n---\n');
    const words = dryRun === undefined ? 'written' : 'would be written';
    return files.map(({path}) => `${directory}/${path} ${words}`).join('\n');
  },
};

/** `link --cron-manifest`: YAML for `kubectl apply -f -`. */
export const renewalView: View<RenewalResult> = {text: ({yaml}) => yaml.trimEnd()};
