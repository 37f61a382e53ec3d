/**
 * `apiServer` in mesh.yaml. If istiod cannot load a remote secret, it keeps the previous one and still reports the cluster as synced
 * (istio/istio pkg/kube/multicluster/secretcontroller.go, addRemoteConfig), so these fields are as strict as its parsers.
 */
import {X509Certificate} from 'node:crypto';
import {parsePem} from '../asn1/pem.js';
import {map, text} from './fields.js';

/** A host as Go and DNS accept it: a name, an IPv4 address, or an IPv6 address in brackets; with a port or without. */
const host = String.raw`(?:[A-Za-z0-9_](?:[-A-Za-z0-9_.]*[A-Za-z0-9_.])?|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?`;

/** Characters of a path, percent-encoded where necessary (RFC 3986, 3.3; Go's net/url rejects other encodings). */
const path = String.raw`(?:/(?:[-A-Za-z0-9._~!$&'()*+,;=:@/]|%[0-9A-Fa-f]{2})*)?`;

/** The schemes that client-go accepts (k8s.io/client-go tools/clientcmd/helpers.go, parseProxyURL). */
const proxySchemes = '(?:https?|socks5)';

/** Base64 of at least one PEM certificate: `LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0` is `-----BEGIN CERTIFICATE-`. */
const base64 = /^LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0[A-Za-z0-9+/]+={0,2}$/;

const caRule = 'PEM certificates, encoded in base64 on one line';

export const apiServerSchema = map('a map with at least "url"', {
  url: text('an https URL without credentials, query or fragment', new RegExp(`^https://${host}${path}$`)).describe(
    "The API server's address, as pods of other clusters reach it.",
  ),
  'caData?': text(caRule, base64)
    .refine(containsCertificates, {error: `must be ${caRule}: istiod cannot load others`})
    .describe("The CA of the API server's certificate. Default: the cluster's ConfigMap kube-root-ca.crt."),
  'tlsServerName?': text(
    'a host name or an IP address',
    /^[A-Za-z0-9:](?:[-A-Za-z0-9.:]{0,251}[A-Za-z0-9:])?$/,
  ).describe("The name in the API server's certificate. Default: the host in url."),
  'proxyUrl?': text(
    'an http, https or socks5 URL without credentials',
    new RegExp(`^${proxySchemes}://${host}/?$`),
  ).describe('The proxy through which pods of other clusters reach it. Default: none.'),
});

/** Whether every block is a certificate that can be parsed (k8s.io/client-go transport/transport.go, rootCertPool). */
function containsCertificates(encoded: string): boolean {
  try {
    const bytes = Buffer.from(encoded, 'base64');
    // Node ignores what Go rejects: a wrong length, and bits after the last byte.
    if (bytes.toString('base64') !== encoded) return false;
    const {blocks} = parsePem(bytes.toString('utf8'), 'caData');
    return blocks.every(({label, headers, bytes: der}) => {
      const parsed = new X509Certificate(der);
      return label === 'CERTIFICATE' && Object.keys(headers).length === 0 && parsed.raw.length === der.length;
    });
  } catch {
    return false;
  }
}
