/** Commands that find out which context of a kubeconfig leads to which cluster, by the UID of namespace kube-system. */
import type {Mesh} from '../../mesh/mesh.js';
import {
  kubectlMesh,
  inspectWith,
  OutputOf,
  pipe,
  script,
  type Suggestion,
  Variable,
  words,
} from '../../suggest/suggestion.js';

/** An API server that somebody stopped must not keep the others waiting. */
const patience = ['--request-timeout', '5s'];

const allContexts = inspectWith.kubectl('any', words`config get-contexts -o name`);

/** The UID behind the context in `$context`. kubectl must not read the list of contexts that the loop reads. */
const uidOfContext = script('look')`${inspectWith.kubectl(
  'any',
  words`--context ${new Variable('context')} get namespace kube-system -o jsonpath={.metadata.uid} ${patience}`,
)} </dev/null 2>/dev/null`;

/**
 * Records for each cluster whose UID is known a context that leads to it. Contexts that are recorded are tried first, so
 * that those which are right stay. One command for all: two contexts that changed places cannot be recorded one by one.
 */
export function recordContextsByUid({clusters}: Mesh): Suggestion {
  const recorded = clusters.flatMap(({context}) => context ?? []);
  const candidates =
    recorded.length === 0
      ? allContexts
      : script('look')`{ ${inspectWith.run('printf', ['%s\\n', ...recorded])}; ${allContexts}; }`;
  const branches = clusters.flatMap(({name, uid}) =>
    uid === undefined ? [] : [script('look')`${uid}) echo "${name}=$context";;`],
  );
  const loop = script('look')`while read -r context; do case "$(${uidOfContext})" in ${branches} esac; done`;
  const firstOfEach = inspectWith.run('awk', ['-F=', '!seen[$1]++']);
  return kubectlMesh('init', [new OutputOf(pipe(candidates, loop, firstOfEach))]);
}

/** Prints every context with the UID of its cluster, for a person to choose from. */
export function listContextsWithUid(): Suggestion {
  return pipe(allContexts, script('look')`while read -r context; do echo "$context $(${uidOfContext})"; done`);
}
