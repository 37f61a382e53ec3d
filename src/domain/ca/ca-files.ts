/** The files of a cluster CA, as istiod reads them: from the work directory or from Secret `cacerts`. */
import type {Sensitive} from '../sensitive.js';
import {crlFileName} from '../x509/crl.js';

/** The file names, which are the same in the work directory and in the Secret (istio/istio security/pkg/pki/ca). */
export const caFileNames = {
  caCert: 'ca-cert.pem',
  caKey: 'ca-key.pem',
  rootCert: 'root-cert.pem',
  certChain: 'cert-chain.pem',
} as const;

/** One of the four files. */
export type CaPart = keyof typeof caFileNames;

/** The files' texts. Missing files are undefined: a git checkout has no keys. */
export interface CaFiles {
  readonly caCert?: string | undefined;
  readonly caKey?: Sensitive<string> | undefined;
  readonly rootCert?: string | undefined;
  readonly certChain?: string | undefined;
  /** The revocation lists (ca-crl.pem), which are optional; empty to have none. */
  readonly crl?: string | undefined;
  /** `tls` for a Secret with tls.crt, tls.key and ca.crt, which istiod reads instead of the four files. */
  readonly layout?: 'pem' | 'tls';
}

/** A complete set of files, ready to be written or pushed. */
export interface CaBundle {
  readonly caCert: string;
  readonly caKey: Sensitive<string>;
  readonly rootCert: string;
  readonly certChain: string;
}

/** The files' names in messages. */
export function caFileNamesOf(files: CaFiles): Readonly<Record<CaPart, string>> {
  return files.layout === 'tls'
    ? {caCert: 'tls.crt', caKey: 'tls.key', rootCert: 'ca.crt', certChain: 'tls.crt + ca.crt'}
    : caFileNames;
}

/** The names of the CA key in both layouts. */
export const caKeyNames: readonly string[] = [caFileNames.caKey, caFileNamesOf({layout: 'tls'}).caKey];

/**
 * The files that istiod publishes: the roots in a ConfigMap of every namespace, the lists likewise, the chain with every
 * certificate that it issues. By their names in messages. ca-cert.pem is meant to be committed to git.
 */
export function publicFilesOf(files: CaFiles): readonly (readonly [name: string, text: string])[] {
  const names = caFileNamesOf(files);
  // In the layout of tls.crt, the chain consists of the other two.
  const parts =
    files.layout === 'tls' ? (['rootCert', 'caCert'] as const) : (['rootCert', 'certChain', 'caCert'] as const);
  const texts = [...parts.map((part) => [names[part], files[part]] as const), [crlFileName, files.crl] as const];
  return texts.flatMap(([name, text]) => (text === undefined ? [] : [[name, text] as const]));
}

/**
 * The CA files in a Secret; `text` and `secret` read its data by key. `tls.crt` always takes precedence over the four
 * files, and the chain is then tls.crt followed by ca.crt (istio/istio pilot/pkg/bootstrap/istio_ca.go). The CA key is read
 * with `secret` only.
 */
export function caFilesOfSecret(
  text: (key: string) => string | undefined,
  secret: (key: string) => Sensitive<string> | undefined,
): CaFiles {
  const layout = text('tls.crt') === undefined ? 'pem' : 'tls';
  const names = caFileNamesOf({layout});
  const [caCert = '', rootCert] = [text(names.caCert), text(names.rootCert)];
  // istiod adds no line break (security/pkg/pki/util/keycertbundle.go, NewVerifiedKeyCertBundleFromFile).
  const joined = rootCert === undefined ? undefined : `${caCert}${rootCert}`;
  return {
    layout,
    caCert: text(names.caCert),
    caKey: secret(names.caKey),
    rootCert,
    certChain: layout === 'tls' ? joined : text(names.certChain),
    // istiod does not read it together with tls.crt, but rewriting the Secret must not lose it.
    crl: text(crlFileName),
  };
}
