/** `-o wide`: the text with its evidence, who accepts whom, and by which certificates. */
import type {Acceptance, ClusterPicture, MeshPicture, PictureCertificate} from '../../domain/checks/picture.js';
import {shortFingerprint} from '../../domain/keys/fingerprint.js';
import {printableLine} from '../../domain/printable.js';
import {table} from '../table.js';
import {timeoutLines, verdictText, type ShownVerify} from './verify-rows.js';
import {dryRunLines, sections} from './verify-text.js';

/** `-o wide`. */
export function verifyWide(result: ShownVerify): string {
  return [
    ...sections(result, true),
    ...pictureLines(result.mesh),
    ...dryRunLines(result),
    ...timeoutLines(result),
    `Verdict: ${verdictText(result)}`,
  ].join('\n');
}

/** `NO` is the one that must be seen. */
const cells: Readonly<Record<Acceptance, string>> = {yes: 'yes', no: 'NO', unknown: 'unknown', none: '-'};

function pictureLines({clusters}: MeshPicture): readonly string[] {
  if (clusters.length === 0) return [];
  return [
    ...(clusters.length > 1 ? [matrix(clusters), ''] : []),
    table(
      ['CLUSTER', 'LIVE ROOTS', 'LIVE CLUSTER CA'],
      clusters.map(({name, roots, clusterCas}) => [name, list(roots), list(clusterCas)]),
    ),
    ...clusters.flatMap(({name, unseen = []}) => unseen.map((why) => `${name}: not seen: ${printableLine(why)}`)),
    '',
  ];
}

/** Rows trust, columns are trusted. */
function matrix(clusters: readonly ClusterPicture[]): string {
  return table(
    ['TRUSTING', ...clusters.map(({name}) => name)],
    clusters.map(({name, accepts}) => [
      name,
      ...clusters.map((other) => {
        const answer = accepts.find(({cluster}) => cluster === other.name);
        return answer ? cells[answer.result] : '-';
      }),
    ]),
  );
}

function list(certificates: readonly PictureCertificate[] | undefined): string {
  if (certificates === undefined) return 'unknown';
  return certificates.length === 0
    ? '-'
    : certificates.map(({fingerprint}) => shortFingerprint(fingerprint)).join(', ');
}
