/** Commands that map the contexts of a kubeconfig to clusters, by the UID of namespace kube-system. */
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

/** A stopped API server must not delay the others. */
const requestTimeout = ['--request-timeout', '5s'];

const allContexts = inspectWith.kubectl('any', words`config get-contexts -o name`);

/** The cluster UID of the context in `$context`. kubectl must not consume the loop's list of contexts on standard input. */
const uidOfContext = script('inspect')`${inspectWith.kubectl(
  'any',
  words`--context ${new Variable('context')} get namespace kube-system -o jsonpath={.metadata.uid} ${requestTimeout}`,
)} </dev/null 2>/dev/null`;

/**
 * Records a context for each cluster with a known UID. Contexts already recorded are tried first, so that correct ones
 * stay. One command for all clusters: two swapped contexts cannot be recorded one at a time.
 */
export function recordContextsByUid({clusters}: Mesh): Suggestion {
  const recorded = clusters.flatMap(({context}) => context ?? []);
  const candidates =
    recorded.length === 0
      ? allContexts
      : script('inspect')`{ ${inspectWith.run('printf', ['%s\\n', ...recorded])}; ${allContexts}; }`;
  const branches = clusters.flatMap(({name, uid}) =>
    uid === undefined ? [] : [script('inspect')`${uid}) echo "${name}=$context";;`],
  );
  const loop = script('inspect')`while read -r context; do case "$(${uidOfContext})" in ${branches} esac; done`;
  const firstOfEach = inspectWith.run('awk', ['-F=', '!seen[$1]++']);
  return kubectlMesh('init', [new OutputOf(pipe(candidates, loop, firstOfEach))]);
}

/** Prints every context with its cluster's UID, for the user to choose from. */
export function listContextsWithUid(): Suggestion {
  return pipe(allContexts, script('inspect')`while read -r context; do echo "$context $(${uidOfContext})"; done`);
}
