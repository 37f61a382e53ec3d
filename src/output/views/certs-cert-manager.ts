import {stringify} from 'yaml';
import {printableLine} from '../../domain/printable.js';
import type {CertManagerResult} from '../../operations/certs/cert-manager.js';
import type {View} from '../view.js';

/** `certs request --cert-manager`: YAML for kubectl, with a comment that says for which cluster each document is. */
export const certManagerView: View<CertManagerResult> = {
  text: yaml,
  yaml,
  name: ({clusters}) => clusters.map(({name}) => name).join('\n'),
};

function yaml({clusters}: CertManagerResult): string {
  return clusters
    .map(({name, context = 'CONTEXT', certificate}) => {
      const where = `# For cluster ${name} alone: kubectl --context ${printableLine(context)} apply -f -`;
      return `${where}\n${stringify(certificate, {lineWidth: 0}).trimEnd()}`;
    })
    .join('\n---\n');
}
