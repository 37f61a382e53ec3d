/**
 * The signer of cluster CAs, as in `trust.signer` of mesh.yaml and `--signer`: one zod schema for both. A new signer needs an
 * entry here, a file in src/signers, and an entry in its registry.
 */
import {parseDocument} from 'yaml';
import {plainValue} from '../plain-value.js';
import * as z from 'zod';
import {MeshError} from '../errors.js';
import {kind, line, list, type Parsed, text} from './fields.js';
import {dnsLabelPattern} from './names.js';

const path = line('a path');
const mount = text('a mount path such as pki or pki/mesh', /^[^\u0000-\u0020\u007f/][^\u0000-\u0020\u007f]{0,254}$/);
const reference = text('a name or ID without spaces', /^[^\u0000-\u0020\u007f]{1,254}$/);
const certificate = path.describe(
  "File with the signing CA's certificate and, if it is not a root, those of its issuers, relative to the work directory. Default: root-cert.pem.",
);

const local = kind({
  type: z.literal('local').describe('root-key.pem signs.'),
  'directory?': path.describe(
    'Directory of root-key.pem if it is not the work directory, such as a removable drive. Default: the work directory.',
  ),
  'certificate?': certificate,
});

const csr = kind({
  type: z.literal('csr').describe('An external CA signs requests: see certs request and certs import.'),
});

const vaultAuth = z.discriminatedUnion(
  'method',
  [
    kind({
      method: z.literal('token').describe('A token from VAULT_TOKEN or a file.'),
      'file?': path.describe('File with the token. Default: VAULT_TOKEN, then ~/.vault-token.'),
    }),
    kind({
      method: z.literal('approle').describe("AppRole: a role's ID and secret ID."),
      'mount?': mount.describe('Default: approle.'),
      'roleId?': reference.describe('Default: VAULT_ROLE_ID.'),
      'secretIdFile?': path.describe('File with the secret ID. Default: VAULT_SECRET_ID.'),
    }),
    kind({
      method: z.literal('kubernetes').describe("The service account token of this program's pod."),
      'mount?': mount.describe('Default: kubernetes.'),
      role: reference.describe('The Vault role for this service account.'),
      'tokenFile?': path.describe('Default: /var/run/secrets/kubernetes.io/serviceaccount/token.'),
    }),
  ],
  {error: 'must be a map with method: token, approle or kubernetes'},
);

const vault = kind({
  type: z.literal('vault').describe("Vault or OpenBao signs requests. It never receives a cluster CA's key."),
  'address?': text('an address such as https://vault.example.com:8200', /^https?:\/\/[^\s/]+(?:\/[^\s]*)?$/).describe(
    'Default: VAULT_ADDR.',
  ),
  'mount?': mount.describe('Mount path of the PKI engine. Default: pki.'),
  'issuer?': reference.describe("Name or ID of the issuer that signs. Default: the mount's default issuer."),
  'namespace?': reference.describe('Default: VAULT_NAMESPACE.'),
  'caCert?': path.describe("CA certificates for verifying the server's certificate. Default: VAULT_CACERT."),
  'auth?': vaultAuth.describe('How to log in. Default: {method: token}.'),
});

const command = kind({
  type: z
    .literal('command')
    .describe('A program signs, for example with a KMS or HSM. The root key is never in a file.'),
  argv: list('a list: the program and its arguments', line('an argument'))
    .min(1, {error: 'must contain a program'})
    .describe('The program and its arguments. A path with a slash is relative to the work directory.'),
  'certificate?': certificate,
});

const cluster = kind({
  type: z.literal('cluster').describe("The root key in a cluster's Secret signs. It is kept in memory only."),
  context: line('the name of a kubeconfig context').describe('The kubeconfig context.'),
  'namespace?': text('a namespace', dnsLabelPattern).describe("Default: Istio's namespace."),
  'secret?': text('the name of a Secret', /^[a-z0-9](?:[-.a-z0-9]{0,251}[a-z0-9])?$/).describe(
    'Default: istio-ca-secret, in which istiod stores its self-signed root.',
  ),
});

/** Creates the schema of `external` for one issuer. */
function external<const Issuer extends string, Shape extends z.ZodRawShape>(
  issuer: Issuer,
  what: string,
  shape: Shape,
) {
  const type = z
    .literal('external')
    .describe(
      'An external CA issues workload certificates; nothing is generated or pushed. With cert-manager, istiod issues them with a CA from cert-manager.',
    );
  return kind({type, issuer: z.literal(issuer).describe(what), ...shape});
}

const signerName = text(
  "a signer's name such as clusterissuers.cert-manager.io/istio-ca",
  /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)+\/[A-Za-z0-9](?:[-.A-Za-z0-9]*[A-Za-z0-9])?$/,
).describe('The name of the signer. Its root must be root-cert.pem in the work directory.');

const caAddress = text(
  'an address such as cert-manager-istio-csr.cert-manager.svc:443',
  /^[a-z0-9.-]+:\d{1,5}$/,
).describe('Address of istio-csr. Default: cert-manager-istio-csr.cert-manager.svc:443.');

const externals = z.discriminatedUnion(
  'issuer',
  [
    external('istio-csr', 'cert-manager signs workload certificates through istio-csr, without Secret cacerts.', {
      'caAddress?': caAddress,
    }),
    external(
      'kubernetes-csr',
      'A Kubernetes CertificateSigningRequest signer signs workload certificates, without Secret cacerts.',
      {signerName},
    ),
    external('spire', 'SPIRE issues workload certificates, without Secret cacerts.', {}),
    external('cert-manager', 'cert-manager fills Secret cacerts: see certs request --cert-manager.', {}),
  ],
  {error: 'must be a map with issuer: istio-csr, kubernetes-csr, spire or cert-manager'},
);

/** `trust.signer`. */
export const signerSchema = z.discriminatedUnion('type', [local, csr, vault, command, cluster, externals], {
  error: 'must be a map with type: local, csr, vault, command, cluster or external',
});

/** The declared signer. */
export type DeclaredSigner = Parsed<typeof signerSchema>;

/**
 * Parses `--signer`: a type (`csr`), or the map of `trust.signer` on one line (`{type: vault, mount: pki_mesh}`). Throws
 * `USAGE`.
 */
export function parseSignerFlag(text: string): DeclaredSigner {
  const document = parseDocument(text, {logLevel: 'silent'});
  const value: unknown = document.errors.length > 0 ? undefined : plainValue(document).value;
  const parsed = signerSchema.safeParse(typeof value === 'string' ? {type: value} : value);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(({path: field, message, code, ...issue}) => {
    const where = field.map(String).join('.');
    const fault = code === 'unrecognized_keys' && 'keys' in issue ? `has no field ${issue.keys.join(', ')}` : message;
    return where === '' ? fault : `${where} ${fault}`;
  });
  throw new MeshError('USAGE', `invalid --signer ${JSON.stringify(text)}: ${problems.join('; ')}`, {
    hints: ["use a type, or the map of trust.signer on one line, such as '{type: vault, mount: pki}'"],
  });
}
