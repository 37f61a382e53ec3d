/** Merges commands that differ only in the clusters for which they are: `link c1` and `link c2` are `link c1 c2`. */
import {ClusterNames, OutputOf, type ShellPart, Suggestion} from './suggestion.js';

/** Returns one command for all; undefined if they differ in more than {@link ClusterNames}. */
export function mergeCommands(commands: readonly Suggestion[]): Suggestion | undefined {
  const [first] = commands;
  if (first === undefined || new Set(commands.map(shapeOf)).size > 1) return undefined;
  const names = commands.map((one) => [...clusterNamesIn(one)]);
  let next = 0;
  return replaceNames(first, () => {
    const position = next;
    next += 1;
    return new ClusterNames([...new Set(names.flatMap((own) => own[position]?.names ?? []))]);
  });
}

/** The command without the names of clusters. */
function shapeOf(command: Suggestion): string {
  return JSON.stringify(replaceNames(command, () => new ClusterNames([])));
}

function* clusterNamesIn(command: Suggestion): Generator<ClusterNames> {
  const found: ClusterNames[] = [];
  replaceNames(command, (names) => {
    found.push(names);
    return names;
  });
  yield* found;
}

function replaceNames(
  {form, purpose, changes}: Suggestion,
  replace: (names: ClusterNames) => ClusterNames,
): Suggestion {
  const inPart = <Part extends ShellPart>(part: Part): Part | ClusterNames | Suggestion | OutputOf => {
    if (part instanceof ClusterNames) return replace(part);
    if (part instanceof Suggestion) return replaceNames(part, replace);
    return part instanceof OutputOf ? new OutputOf(replaceNames(part.command, replace)) : part;
  };
  const own =
    form.kind === 'shell' ? {...form, parts: form.parts.map(inPart)} : {...form, words: form.words.map(inPart)};
  return new Suggestion(own as typeof form, purpose, changes);
}
