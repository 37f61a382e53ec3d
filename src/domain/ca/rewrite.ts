/**
 * The files of a cluster CA in canonical form: the same key and certificates, each file as istiod and proxies read it. Removes
 * what does not belong in a file (byte order marks, text, repeated and foreign certificates), and changes the order of a chain.
 */
import {encodePem} from '../asn1/pem.js';
import {repairPem} from '../asn1/repair-pem.js';
import {recover} from '../errors.js';
import {embeddedKeys} from '../keys/embedded-keys.js';
import {canonicalKey} from '../keys/private-key.js';
import type {Sensitive} from '../sensitive.js';
import type {Certificate} from '../x509/certificate.js';
import {certificatesOfBlock} from '../x509/certificate-blocks.js';
import {chainPem, issued, orderUpward} from '../x509/chain.js';
import {type CaFiles, caFileNames, type CaPart} from './ca-files.js';
import {distinctRoots, isAmong} from './trust-store.js';

/** Rewritten files. */
export interface RewrittenFiles {
  /** With the parts that could be rewritten; the others are unchanged. */
  readonly files: CaFiles;
  /** The parts that could not be read, which stay as they are. */
  readonly unreadable: readonly CaPart[];
}

/** Rewrites the files. `removed`: the roots to remove from root-cert.pem. */
export function rewriteCaFiles(files: CaFiles, removed: readonly Certificate[] = []): RewrittenFiles {
  const caCerts = certificatesIn(files.caCert);
  const roots = certificatesIn(files.rootCert);
  const chain = files.certChain?.trim() === '' ? [] : certificatesIn(files.certChain);
  const key = rewrittenKey(files.caKey);
  const [ca] = caCerts ?? [];
  const kept = roots?.filter((root) => !isAmong(root, removed));
  const read = {
    caCert: ca && chainPem([ca]),
    caKey: key,
    rootCert: kept && chainPem(kept),
    // Without the CA, the chain's order is unknown.
    certChain: chain && chainPem(ca ? rewrittenChain(ca, chain, caCerts ?? [], kept ?? []) : chain),
  };
  const parts = Object.keys(caFileNames) as readonly CaPart[];
  return {
    files: {
      ...files,
      caCert: read.caCert ?? files.caCert,
      caKey: read.caKey ?? files.caKey,
      rootCert: read.rootCert ?? files.rootCert,
      certChain: read.certChain ?? files.certChain,
    },
    unreadable: parts.filter((part) => files[part] !== undefined && read[part] === undefined),
  };
}

/** Every certificate of a text, each once, in order; undefined if it contains anything that cannot be read, or none. */
export function certificatesIn(text: string | undefined): readonly Certificate[] | undefined {
  const blocks = text === undefined ? undefined : repairPem(text);
  if (!blocks) return undefined;
  const certificates = recover(
    () => blocks.flatMap((block) => certificatesOfBlock(block, 'PEM') ?? []),
    () => [],
  );
  return certificates.length === 0 ? undefined : distinctRoots(certificates);
}

/**
 * The chain from the CA upward, without certificates that do not belong to it. One with several paths, such as through
 * cross-signed roots, keeps its order: peers may need each of them.
 */
function rewrittenChain(
  ca: Certificate,
  chain: readonly Certificate[],
  caCerts: readonly Certificate[],
  roots: readonly Certificate[],
): readonly Certificate[] {
  const above = [ca];
  // The loop also visits what it adds.
  for (const child of above) {
    above.push(...chain.filter((one) => !isAmong(one, above) && issued(one, child)));
  }
  const own = orderUpward(ca, chain);
  const [last = ca] = own.slice(-1);
  // A chain without its root is complete if a trusted root signed its last certificate.
  const isClosed = last.selfSigned || (chain.length > 0 && roots.some((root) => issued(root, last)));
  const upward = isClosed ? own : orderUpward(ca, [...chain, ...caCerts, ...roots]);
  return above.every((one) => isAmong(one, upward))
    ? upward
    : distinctRoots([ca, ...chain.filter((one) => isAmong(one, above))]);
}

/** The CA key in the form that istiod reads; undefined for an encrypted key, or for anything but a single key. */
function rewrittenKey(key: Sensitive<string> | undefined): Sensitive<string> | undefined {
  if (key === undefined || embeddedKeys(key).length !== 1) return undefined;
  // istiod reads the first block only, which `openssl ecparam -genkey` uses for the curve.
  const onlyKey = key.map((text) =>
    (repairPem(text) ?? [])
      .filter(({label}) => label.endsWith('PRIVATE KEY'))
      .map(({label, bytes}) => encodePem(label, bytes))
      .join(''),
  );
  return canonicalKey(onlyKey);
}
