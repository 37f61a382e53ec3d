import {stringify} from 'yaml';
import {printableLine} from '../../domain/printable.js';
import {fixWith, words} from '../../domain/suggest/suggestion.js';
import type {CertManagerResult} from '../../operations/certs/cert-manager.js';
import type {View, ViewContext} from '../view.js';

/** `certs request --cert-manager`: YAML for kubectl, with a comment that says for which cluster each document is. */
export const certManagerView: View<CertManagerResult> = {
  text: yaml,
  yaml,
  name: ({clusters}) => clusters.map(({name}) => name).join('\n'),
};

function yaml({clusters}: CertManagerResult, {command}: ViewContext): string {
  return clusters
    .map(({name, context, certificate}) => {
      const apply = command(fixWith.kubectl({context}, words`apply -f -`));
      const where = `# For cluster ${name} alone: ${printableLine(apply)}`;
      return `${where}\n${stringify(certificate, {lineWidth: 0}).trimEnd()}`;
    })
    .join('\n---\n');
}
