import {isDeepStrictEqual} from 'node:util';
import {describeSource, type IstiodCaSource} from '../../istio/ca-source.js';
import {type ClusterSubject, type Finding, type Judgement, notApplicable} from '../check.js';
import {showSource} from '../remedies.js';

/** The checks that depend on the CA that istiod loads. */
export const caDependents = ['MESH302', 'MESH303', 'MESH304', 'MESH305', 'MESH307', 'MESH308', 'MESH6'] as const;

/** The result where the CA that istiod reads cannot be compared; undefined if it can. */
export function judgeSources(sources: readonly IstiodCaSource[], subject: ClusterSubject): Judgement | undefined {
  const findingOf = ({istiod, source}: IstiodCaSource): Finding => ({
    observed: `${istiod} reads its CA from ${describeSource(source)}`,
    expected: 'the directory at which Secret cacerts is mounted',
    ...showSource(source, subject),
    implies: caDependents,
  });
  const unmounted = sources.filter(({source}) => source.from === 'nothing').map(findingOf);
  const [firstUnmounted, ...others] = unmounted;
  if (firstUnmounted) return [firstUnmounted, ...others];
  const unknown = sources.find(({source}) => source.from === 'unknown directory');
  if (unknown) return {...findingOf(unknown), isUnproven: true};
  const [first] = sources;
  if (!first) return undefined;
  const other = sources.find(({source}) => !isDeepStrictEqual(source, first.source));
  if (other) {
    const expected = `one source for all istiods: ${first.istiod} reads its CA from ${describeSource(first.source)}`;
    return {...findingOf(other), expected, isUnproven: true};
  }
  return first.source.from === 'volume'
    ? notApplicable(`istiod reads its CA from ${describeSource(first.source)}, which cannot be read`)
    : undefined;
}
