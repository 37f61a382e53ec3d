/**
 * Who signs cluster CAs, as mesh.yaml says it under `trust.signer` and as `--signer` takes it: one zod schema for both.
 * A new signer is an entry here, a file in src/signers, and a line in its registry.
 */
import {parseDocument} from 'yaml';
import * as z from 'zod';
import {MeshError} from '../errors.js';
import {kind, line, list, type Read, text} from './fields.js';
import {dnsLabelPattern} from './names.js';

const path = line('a path');
const mount = text(
  'the path of a mount, such as pki or pki/mesh',
  /^[^\u0000-\u0020\u007f/][^\u0000-\u0020\u007f]{0,254}$/,
);
const reference = text('a name or ID without spaces', /^[^\u0000-\u0020\u007f]{1,254}$/);
const certificate = path.describe(
  'File with the certificate that signs, then those above it, when that is not a root: relative to the work directory. Default: root-cert.pem.',
);

const local = kind({
  type: z.literal('local').describe('root-key.pem signs.'),
  'directory?': path.describe(
    'Where root-key.pem is, when not in the work directory: a stick that is unplugged after signing.',
  ),
  'certificate?': certificate,
});

const csr = kind({
  type: z.literal('csr').describe('A CA elsewhere signs requests: certs request, certs import.'),
});

const vaultAuth = z.discriminatedUnion(
  'method',
  [
    kind({
      method: z.literal('token').describe('A token: VAULT_TOKEN, or a file.'),
      'file?': path.describe('File with the token. Default: VAULT_TOKEN, then ~/.vault-token.'),
    }),
    kind({
      method: z.literal('approle').describe("AppRole: a role's ID and secret."),
      'mount?': mount.describe('Default: approle.'),
      'roleId?': reference.describe('Default: VAULT_ROLE_ID.'),
      'secretIdFile?': path.describe('File with the secret ID. Default: VAULT_SECRET_ID.'),
    }),
    kind({
      method: z.literal('kubernetes').describe('A service account token, from inside a cluster.'),
      'mount?': mount.describe('Default: kubernetes.'),
      role: reference.describe("Vault's role for this service account."),
      'tokenFile?': path.describe('Default: /var/run/secrets/kubernetes.io/serviceaccount/token.'),
    }),
  ],
  {error: 'must be a map with method: token, approle or kubernetes'},
);

const vault = kind({
  type: z
    .literal('vault')
    .describe("Vault or OpenBao signs requests; the key never leaves this machine's work directory."),
  'address?': text('an address such as https://vault.example.com:8200', /^https?:\/\/[^\s/]+(?:\/[^\s]*)?$/).describe(
    'Default: VAULT_ADDR.',
  ),
  'mount?': mount.describe('Mount path of the PKI engine. Default: pki.'),
  'issuer?': reference.describe("The issuer that signs, by name or ID. Default: the mount's default issuer."),
  'namespace?': reference.describe('Default: VAULT_NAMESPACE.'),
  'caCert?': path.describe(
    "CA certificates that the server's own certificate is verified with. Default: VAULT_CACERT.",
  ),
  'auth?': vaultAuth.describe('How to log in. Default: {method: token}.'),
});

const command = kind({
  type: z.literal('command').describe('A program signs: KMS, HSM. The root key is never a file.'),
  argv: list('a list: the program and its arguments', line('an argument'))
    .min(1, {error: 'must name a program'})
    .describe('The program and its arguments; a path with a slash is relative to the work directory.'),
  'certificate?': certificate,
});

const cluster = kind({
  type: z.literal('cluster').describe("The root in a cluster's Secret signs; it passes through memory only."),
  context: line('the name of a kubeconfig context').describe('The kubeconfig context.'),
  'namespace?': text('a namespace', dnsLabelPattern).describe("Default: Istio's namespace."),
  'secret?': text('the name of a Secret', /^[a-z0-9](?:[-.a-z0-9]{0,251}[a-z0-9])?$/).describe(
    'Default: istio-ca-secret, where istiod keeps its self-signed root.',
  ),
});

/** `external`, by who issues instead. */
function external<const Issuer extends string, Shape extends z.ZodRawShape>(
  issuer: Issuer,
  what: string,
  shape: Shape,
) {
  const type = z
    .literal('external')
    .describe("Certificates come from elsewhere; nothing is generated or pushed. With cert-manager, istiod's CA does.");
  return kind({type, issuer: z.literal(issuer).describe(what), ...shape});
}

const signerName = text(
  "a signer's name such as clusterissuers.cert-manager.io/istio-ca",
  /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)+\/[A-Za-z0-9](?:[-.A-Za-z0-9]*[A-Za-z0-9])?$/,
).describe('The signer. Its root is root-cert.pem of the work directory.');

const caAddress = text(
  'an address such as cert-manager-istio-csr.cert-manager.svc:443',
  /^[a-z0-9.-]+:\d{1,5}$/,
).describe('Where istio-csr answers. Default: cert-manager-istio-csr.cert-manager.svc:443.');

const externals = z.discriminatedUnion(
  'issuer',
  [
    external('istio-csr', 'cert-manager signs for each workload, by istio-csr: no cacerts.', {'caAddress?': caAddress}),
    external(
      'kubernetes-csr',
      "A signer of Kubernetes' CertificateSigningRequests signs for each workload: no cacerts.",
      {signerName},
    ),
    external('spire', 'SPIRE gives workloads their certificates: no cacerts is needed.', {}),
    external('cert-manager', 'cert-manager fills Secret cacerts: certs request --cert-manager.', {}),
  ],
  {error: 'must be a map with issuer: istio-csr, kubernetes-csr, spire or cert-manager'},
);

/** `trust.signer`. */
export const signerSchema = z.discriminatedUnion('type', [local, csr, vault, command, cluster, externals], {
  error: 'must be a map with type: local, csr, vault, command, cluster or external',
});

/** Who signs, as declared. */
export type DeclaredSigner = Read<typeof signerSchema>;

/**
 * What `--signer` says: a type alone (`csr`), or the map of `trust.signer` in one line
 * (`{type: vault, mount: pki_mesh}`). Throws `USAGE`.
 */
export function parseSignerFlag(said: string): DeclaredSigner {
  const document = parseDocument(said, {logLevel: 'silent'});
  const value: unknown = document.errors.length > 0 ? undefined : document.toJS();
  const parsed = signerSchema.safeParse(typeof value === 'string' ? {type: value} : value);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(({path: field, message, code, ...issue}) => {
    const where = field.map(String).join('.');
    const told = code === 'unrecognized_keys' && 'keys' in issue ? `has no ${issue.keys.join(', ')}` : message;
    return where === '' ? told : `${where} ${told}`;
  });
  throw new MeshError('USAGE', `--signer ${JSON.stringify(said)}: ${problems.join('; ')}`, {
    hints: ["a type alone, or the map of trust.signer in one line, such as '{type: vault, mount: pki}'"],
  });
}
