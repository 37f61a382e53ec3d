/**
 * mesh.yaml and contexts.yaml as zod schemas: the only source of their types, error messages and mesh.schema.json
 * (`npm run schema`). Each field's description has its meaning and default; each rule's `error` states what is allowed.
 * Rules across fields are in rules.ts, because zod does not run them if the structure is invalid.
 */
import * as z from 'zod';
import {subjectPattern, subjectRule} from '../kube/subjects.js';
import {keyAlgorithms} from '../keys/keys.js';
import {daysPattern, percentPattern} from './duration.js';
import {apiServerSchema} from './api-server-schema.js';
import {flag, line, list, map, oneOf, type Parsed, text} from './fields.js';
import {
  dnsLabelPattern,
  dnsLabelRule,
  istioNamePattern,
  istioNameRule,
  labelValuePattern,
  labelValueRule,
  trustDomainPattern,
} from './names.js';
import {signerSchema} from './signer-schema.js';

const days = text('a number of days such as 730d', daysPattern);
const clusterName = text(dnsLabelRule, dnsLabelPattern);
const dnsLabel = text(dnsLabelRule, dnsLabelPattern);
// Context names come from many tools (`arn:aws:eks:…`, `user@host/ns`), so they only have to be on one line.
const contextName = line('the name of a kubeconfig context');
const word = (what: string) => text(`${what}, without spaces`, /^[A-Za-z0-9][^\s]{0,254}$/);
const relativePath = /^(?!\/)(?!(?:.*\/)?\.\.(?:\/|$))[^\u0000-\u001f\\]+$/u;

/** Settings that are merged over install.yaml, for all clusters or one. */
const merged = {
  'values?': z
    .record(z.string(), z.unknown(), {error: 'must be a map of Helm values'})
    .describe("Helm values that are merged into install.yaml's spec.values. Maps are merged, lists are replaced."),
  'overlays?': list(
    'a list of files',
    text('a file in the work directory, as a relative path without ".."', relativePath),
  ).describe('Overlay files, relative to the work directory, that are merged into install.yaml in this order.'),
};

const discoverySchema = map('a map', {
  'token?': oneOf(['bound', 'secret']).describe(
    "The tokens with which clusters read each other: bound tokens expire, and link renews them; secret: long-lived Secrets of type kubernetes.io/service-account-token, for API servers that limit a token's lifetime. Default: bound.",
  ),
  'tokenLifetime?': days.describe('Requested lifetime of a bound token. Default: 90d.'),
});

const topologySchema = map('a map', {
  'gateway?': oneOf(['istio', 'gateway-api']).describe(
    'How the east-west gateways of a mesh with several networks are deployed. istio: by istioctl, as part of install.yaml; gateway-api: by istiod, for a Gateway of the Kubernetes Gateway API. Default: istio.',
  ),
});

const clusterSchema = map('a map with at least "name"', {
  name: clusterName.describe("The cluster's name: unique in the mesh, and also its directory."),
  'istioName?': text(istioNameRule, istioNamePattern).describe(
    "Istio's clusterName, which istiod, proxies and remote secrets use. A running cluster must keep it. Default: name.",
  ),
  'context?': contextName.describe(
    'The kubeconfig context. contexts.yaml and --context take precedence. Default: none; commands that access the cluster require it.',
  ),
  'network?': text(labelValueRule, labelValuePattern).describe(
    "Istio's network ID. Pods of clusters on the same network can reach each other directly. Default: none; install render requires it.",
  ),
  'role?': oneOf(['primary', 'remote']).describe(
    'A primary runs istiod; a remote uses the istiod of another cluster. Default: primary.',
  ),
  'primary?': clusterName.describe('Remotes only: the primary whose istiod the cluster uses.'),
  'apiServer?': apiServerSchema.describe(
    "How pods of other clusters reach the cluster's API server. Default: as in your kubeconfig.",
  ),
  'uid?': text("the UID of the cluster's kube-system namespace", /^[0-9A-Za-z][-0-9A-Za-z]{0,62}$/).describe(
    'UID of the kube-system namespace, recorded on first access. A cluster with a different UID is refused.',
  ),
  ...merged,
}).describe('One cluster of the mesh.');

const belowThreshold =
  'below the first value, a share of its lifetime, which the third value limits if it is given, and always below the second value.';
const threshold = z.tuple(
  [
    text('a share of the lifetime such as 30%', percentPattern),
    text('a number of days such as 30d', daysPattern),
    text('a number of days such as 180d', daysPattern).optional(),
  ],
  {error: 'must be a share, a number of days, and a limit for the share such as [30%, 30d, 180d]'},
);

const istioVersion = /^(?:0|[1-9]\d{0,3})\.(?:0|[1-9]\d{0,3})(?:\.(?:0|[1-9]\d{0,3}))?$/;

const istioSchema = map('a map', {
  'version?': text('an Istio version such as "1.30" or "1.30.3"', istioVersion).describe(
    "Istio's version, which determines the schema version of install.yaml. Default: the version of istioctl.",
  ),
  'namespace?': dnsLabel.describe("Istio's namespace. Default: istio-system."),
  'profile?': word('an installation profile such as default, minimal or ambient').describe(
    "istioctl's installation profile. Default: default.",
  ),
  'hub?': word('an image registry path').describe("Image registry and path. Default: istioctl's."),
  'tag?': text('an image tag', /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/).describe("Image tag. Default: istioctl's."),
  'revisions?': list('a list of revision names', dnsLabel)
    .min(1, {error: 'must contain at least one revision'})
    .describe('Expected control plane revisions. Default: only the default revision.'),
  ...merged,
});

const expirySchema = map('a map with warn and error', {
  'warn?': threshold.describe(`A certificate is a warning ${belowThreshold} Default: [30%, 30d, 180d].`),
  'error?': threshold.describe(`A certificate is an error ${belowThreshold} Default: [10%, 7d, 60d].`),
});

const trustSchema = map('a map', {
  'keyAlgorithm?': oneOf(keyAlgorithms).describe('Algorithm of new CA keys. Default: rsa-4096.'),
  'rootValidity?': days.describe('Validity of a new root CA in days of 24 h. Default: 3650d.'),
  'clusterValidity?': days.describe("Validity of a new cluster CA, at most its root's. Default: 730d."),
  'signer?': signerSchema.describe('The signer of cluster CAs. Default: {type: local}.'),
  'keepClusterKeys?': flag.describe(
    'If false, CLUSTER/ca-key.pem is removed after a confirmed push, since the cluster has the key. Default: true.',
  ),
  'rotationReady?': flag.describe(
    'Renders the settings that allow changing the root later without restarts, if the version has them. Default: true.',
  ),
  'expiry?': expirySchema.describe('When the remaining lifetime of a certificate becomes a finding.'),
});

const reasonRequired = flag.describe('If true, changes except dry runs require --reason. Default: false.');

const expected = list('a list of subjects', text(`a subject: ${subjectRule}`, subjectPattern)).describe(
  `Subjects that are expected to have access to the CA keys in every cluster: ${subjectRule}. Others are findings.`,
);

/** mesh.yaml. */
export const meshFileSchema = map('a map with apiVersion, kind and clusters', {
  apiVersion: oneOf(['kubectl-mesh/v1alpha1']).describe('Version of this file format.'),
  kind: oneOf(['Mesh']).describe('Always Mesh.'),
  'meshID?': text(labelValueRule, labelValuePattern).describe(
    "Istio's mesh ID. Default: none; install render requires it.",
  ),
  'trustDomain?': text('a trust domain: lower-case DNS labels joined by dots', trustDomainPattern).describe(
    'First part of every workload identity. Default: cluster.local.',
  ),
  'istio?': istioSchema.describe('Istio installation settings for all clusters.'),
  'trust?': trustSchema.describe('Settings for certificates: how they are issued and monitored.'),
  'topology?': topologySchema.describe('How clusters on different networks reach each other.'),
  'discovery?': discoverySchema.describe("How clusters read each other's services and endpoints."),
  'verify?': map('a map such as {image: registry.example.com/agnhost:2.53}', {
    'image?': word('an image, with a tag or a digest').describe(
      'Image of the pods of verify --traffic: agnhost of Kubernetes, from a registry that the clusters reach. Default: that of registry.k8s.io, by its digest.',
    ),
  }).describe('Settings of verify.'),
  'audit?': map('a map', {'reasonRequired?': reasonRequired}).describe('Requirements for the journal of changes.'),
  'access?': map('a map such as {expected: [Group:platform-admins]}', {'expected?': expected}).describe(
    'Expected access to the CA keys, for access show and verify --access.',
  ),
  'clusters?': list('a list of clusters', clusterSchema).describe('The clusters of the mesh.'),
});

/** contexts.yaml: this user's kubeconfig contexts by cluster name. */
export const contextsFileSchema = z.record(clusterName, contextName, {
  error: 'must be a map of cluster names to contexts, such as "cluster1: kind-cluster1"',
});

/** The content of mesh.yaml. */
export type MeshFile = Parsed<typeof meshFileSchema>;
/** One entry of `clusters`. */
export type MeshFileCluster = Parsed<typeof clusterSchema>;
/** The content of contexts.yaml. */
export type ContextsFile = Parsed<typeof contextsFileSchema>;

/** Returns the JSON Schema for editors, which is committed as mesh.schema.json. */
export function meshJsonSchema(): Record<string, unknown> {
  const {$schema, ...schema} = z.toJSONSchema(meshFileSchema, {target: 'draft-2020-12'});
  return {
    $schema,
    title: 'kubectl mesh: mesh.yaml',
    description: 'Declares a mesh of Kubernetes clusters for kubectl mesh.',
    ...schema,
  };
}
