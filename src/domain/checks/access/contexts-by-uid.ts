/** Commands that find out which context of a kubeconfig leads to which cluster, by the UID of namespace kube-system. */
import type {Mesh} from '../../mesh/mesh.js';
import {shellWord} from '../commands.js';
import type {Commands} from '../commands.js';

/** An API server that somebody stopped must not keep the others waiting. */
const patience = '--request-timeout 5s';

/**
 * Records for each cluster whose UID is known a context that leads to it. Contexts that are recorded are tried first, so
 * that those which are right stay. One command for all: two contexts that changed places cannot be recorded one by one.
 */
export function recordContextsByUid({clusters}: Mesh, commands: Commands): string {
  const recorded = clusters.flatMap(({context}) => (context === undefined ? [] : [shellWord(context)]));
  const all = commands.kubectlAnywhere('config get-contexts -o name');
  const arms = clusters.flatMap(({name, uid}) =>
    uid === undefined ? [] : [`${shellWord(uid)}) echo "${name}=$context";;`],
  );
  const first = recorded.length === 0 ? all : `{ printf '%s\\n' ${recorded.join(' ')}; ${all}; }`;
  const loop = `while read -r context; do case "$(${uidOfContext(commands)})" in ${arms.join(' ')} esac; done`;
  return commands.mesh(`init $(${first} | ${loop} | awk -F= '!seen[$1]++')`);
}

/** Prints every context with the UID of its cluster, for a person to choose from. */
export function listContextsWithUid(commands: Commands): string {
  const all = commands.kubectlAnywhere('config get-contexts -o name');
  return `${all} | while read -r context; do echo "$context $(${uidOfContext(commands)})"; done`;
}

function uidOfContext(commands: Commands): string {
  const get = `get namespace kube-system -o jsonpath={.metadata.uid} ${patience}`;
  return `${commands.kubectlAnywhere(`--context "$context" ${get}`)} </dev/null 2>/dev/null`;
}
