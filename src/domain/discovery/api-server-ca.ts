/** The CAs by which API servers are verified, and how two of them differ. */
import {LatestResults} from '../memoize.js';

/** Each peer has one or two, and each reader's remote secret repeats it: many times as many clusters as a mesh has. */
const latest = new LatestResults<readonly string[]>(4096);

/**
 * The certificates in a CA field of a kubeconfig (PEM, encoded in base64), as base64 without line breaks. Text without a
 * certificate counts as one, so that it is compared as well. None: the field is absent.
 */
export function certificatesIn(caData: string | undefined): readonly string[] {
  return caData === undefined ? [] : latest.get(caData, () => parsed(Buffer.from(caData, 'base64').toString('utf8')));
}

function parsed(text: string): readonly string[] {
  const blocks = [...text.matchAll(/-----BEGIN CERTIFICATE-----([^-]*)-----END CERTIFICATE-----/g)];
  return blocks.length === 0 ? [text.trim()] : blocks.map(([, body = '']) => body.replace(/\s/g, ''));
}

/**
 * How a CA differs from the wanted one. `none`: it contains all wanted certificates, perhaps with others; `incomplete`: some of
 * them; `other`: none of them, or only one of the two is absent.
 */
export type CaDifference = 'none' | 'incomplete' | 'other';

/** Compares the certificates of two CAs, each as in a kubeconfig. */
export function caDifference(caData: string | undefined, wanted: string | undefined): CaDifference {
  if (caData === wanted) return 'none';
  const own = certificatesIn(caData);
  const missing = certificatesIn(wanted).filter((one) => !own.includes(one));
  if (wanted === undefined || missing.length === certificatesIn(wanted).length) return 'other';
  return missing.length === 0 ? 'none' : 'incomplete';
}
