/** A cluster's CA as the four texts that istiod reads, from the work directory or from the Secret `cacerts`. */
import type {Sensitive} from '../sensitive.js';
import {crlFileName} from '../x509/crl.js';

/** File names of a cluster's CA: the same in the work directory and in the Secret (istio/istio security/pkg/pki/ca). */
export const caFileNames = {
  caCert: 'ca-cert.pem',
  caKey: 'ca-key.pem',
  rootCert: 'root-cert.pem',
  certChain: 'cert-chain.pem',
} as const;

/** The four texts. What is not there is undefined: a git checkout has no keys. */
export interface CaFiles {
  readonly caCert?: string | undefined;
  readonly caKey?: Sensitive<string> | undefined;
  readonly rootCert?: string | undefined;
  readonly certChain?: string | undefined;
  /** The revocation lists (ca-crl.pem), which may always be missing; empty: there are to be none. */
  readonly crl?: string | undefined;
  /** `tls`: they come from a Secret with tls.crt, tls.key, ca.crt, which istiod then reads instead of the four names. */
  readonly layout?: 'pem' | 'tls';
}

/** A complete set, ready to be written or pushed. */
export interface CaBundle {
  readonly caCert: string;
  readonly caKey: Sensitive<string>;
  readonly rootCert: string;
  readonly certChain: string;
}

/** What each file is called in messages about these files. */
export function caFileNamesOf(files: CaFiles): Readonly<Record<keyof typeof caFileNames, string>> {
  return files.layout === 'tls'
    ? {caCert: 'tls.crt', caKey: 'tls.key', rootCert: 'ca.crt', certChain: 'tls.crt + ca.crt'}
    : caFileNames;
}

/**
 * The CA files of a Secret's texts by key. `tls.crt` wins over the four names, whatever else is there, and its chain is
 * tls.crt followed by ca.crt (istio/istio pilot/pkg/bootstrap/istio_ca.go). `key` must be read by the caller as
 * sensitive.
 */
export function caFilesOfSecret(
  text: (key: string) => string | undefined,
  secret: (key: string) => Sensitive<string> | undefined,
): CaFiles {
  const layout = text('tls.crt') === undefined ? 'pem' : 'tls';
  const names = caFileNamesOf({layout});
  const [caCert = '', rootCert] = [text(names.caCert), text(names.rootCert)];
  const joined = rootCert === undefined ? undefined : `${caCert}${caCert.endsWith('\n') ? '' : '\n'}${rootCert}`;
  return {
    layout,
    caCert: text(names.caCert),
    caKey: secret(names.caKey),
    rootCert,
    certChain: layout === 'tls' ? joined : text(names.certChain),
    // istiod does not read it beside tls.crt; whoever writes the Secret again keeps it.
    crl: text(crlFileName),
  };
}
