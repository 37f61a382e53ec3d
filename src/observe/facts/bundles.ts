/** The bundles that istiod writes into namespaces. */
import type {WrittenBundle} from '../../domain/facts/facts.js';
import {MeshError, type ErrorCode} from '../../domain/errors.js';
import {bundleKey, defaultBundleName} from '../../domain/istio/names.js';
import type {ConfigMapObject} from '../../domain/kube/objects.js';
import {parseCertificates} from '../../domain/x509/certificate.js';
import type {Derive} from '../fact-sources.js';

export const deriveBundles: Derive<'bundles'> = async ({reads, fact}) => {
  // Read before the control plane has said the name: it nearly always is this one, and reading takes a round trip.
  reads.readAhead('bundles', {name: defaultBundleName});
  const [first] = await fact('controlPlanes');
  return (await reads.read('bundles', {name: first?.bundleName ?? defaultBundleName})).map(writtenBundles());
};

/** Reads bundles. The same text stands in every namespace, of which there can be thousands: it is kept and parsed once. */
function writtenBundles(): (object: ConfigMapObject) => WrittenBundle {
  const read = new Map<string, Pick<WrittenBundle, 'text' | 'roots'>>();
  return ({metadata, data}) => {
    const text = data?.[bundleKey];
    const namespace = metadata.namespace ?? '';
    if (text === undefined) return {namespace, roots: []};
    const before = read.get(text);
    const bundle = before ?? {text, roots: fingerprintsOf(text)};
    if (!before) read.set(text, bundle);
    return {namespace, ...bundle};
  };
}

const unreadable: readonly ErrorCode[] = ['NOT_PEM', 'NOT_A_CERTIFICATE'];

/** A bundle that is no list of certificates has no roots; that it differs from the pushed one shows anyway. */
function fingerprintsOf(text: string): readonly string[] {
  try {
    return parseCertificates(text, bundleKey).certificates.map(({fingerprint}) => fingerprint);
  } catch (thrown) {
    if (thrown instanceof MeshError && unreadable.includes(thrown.code)) return [];
    throw thrown;
  }
}
