/** How `init` shows what it did. */
import {printableLine} from '../../domain/printable.js';
import {kubectlMesh} from '../../domain/suggest/suggestion.js';
import type {InitResult} from '../../operations/init.js';
import type {View, ViewContext} from '../view.js';

export const initView: View<InitResult> = {
  text: (result, {command}) => [...changes(result), '', ...clusters(result, command)].join('\n').trim(),
  name: (result) => result.clusters.map(({name}) => name).join('\n'),
};

function changes({changes, errors, workDir, dryRun}: InitResult): readonly string[] {
  if (errors.length > 0) return errors.map(({message}) => printableLine(message));
  if (changes.length === 0) return [`${workDir}: nothing to change`];
  const would = dryRun === undefined ? '' : ' (dry run: nothing was written)';
  return [`${workDir}${would}`, ...changes.map((line) => `  ${line}`)];
}

function clusters({clusters, meshID}: InitResult, command: ViewContext['command']): readonly string[] {
  const [first] = clusters;
  if (!first) return ['No clusters yet.', `Next: ${command(kubectlMesh('init', ['NAME=CONTEXT']))}`];
  const open = clusters.find(({context}) => context === undefined);
  return [
    `Mesh ${meshID ?? '(no mesh ID yet)'}: ${clusters.map(describe).join(', ')}`,
    open
      ? `Next: ${command(kubectlMesh('init', [`${open.name}=CONTEXT`]))}`
      : `Next: ${command(kubectlMesh('certs generate'))}, or ${command(kubectlMesh('up'))} for all steps`,
  ];
}

function describe({name, context, network}: InitResult['clusters'][number]): string {
  const known = [
    context === undefined ? 'no context' : `context ${context}`,
    ...(network === undefined ? [] : [network]),
  ];
  return printableLine(`${name} (${known.join(', ')})`);
}
