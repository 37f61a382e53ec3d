import {printableLine} from '../../domain/printable.js';
import {kubectlMesh} from '../../domain/suggest/suggestion.js';
import type {InitResult} from '../../operations/init.js';
import {generalErrorLines} from '../format.js';
import type {Printed, View, ViewContext} from '../view.js';

/** `init`: the changes, the mesh with its clusters, and the next command. */
export const initView: View<InitResult> = {
  text: (result, {command}) => [...changes(result), '', ...clusters(result, command)].join('\n').trim(),
  name: (result) => result.clusters.map(({name}) => name).join('\n'),
};

function changes({changes, errors, workDir, dryRun}: Printed<InitResult>): readonly string[] {
  if (errors.length > 0) return generalErrorLines(errors);
  if (changes.length === 0) return [`${workDir}: unchanged`];
  const would = dryRun === undefined ? '' : ' (dry run: nothing was written)';
  return [`${workDir}${would}`, ...changes.map((line) => `  ${line}`)];
}

function clusters({clusters, meshID}: InitResult, command: ViewContext['command']): readonly string[] {
  const [first] = clusters;
  if (!first) return ['No clusters.', `Next: ${command(kubectlMesh('init', ['NAME=CONTEXT']))}`];
  const incomplete = clusters.find(({context}) => context === undefined);
  return [
    `Mesh ${meshID ?? '(no mesh ID)'}: ${clusters.map(describe).join(', ')}`,
    incomplete
      ? `Next: ${command(kubectlMesh('init', [`${incomplete.name}=CONTEXT`]))}`
      : `Next: ${command(kubectlMesh('certs generate'))}, or ${command(kubectlMesh('up'))} for all steps`,
  ];
}

function describe({name, istioName, context, network}: InitResult['clusters'][number]): string {
  const details = [
    ...(istioName === undefined ? [] : [`Istio's name ${istioName}`]),
    context === undefined ? 'no context' : `context ${context}`,
    ...(network === undefined ? [] : [network]),
  ];
  return printableLine(`${name} (${details.join(', ')})`);
}
