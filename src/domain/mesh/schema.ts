/**
 * mesh.yaml and contexts.yaml as zod schemas: the one source of their types, of the error texts and of
 * mesh.schema.json (`npm run schema`). Every field says its meaning and default in its description; every rule says in
 * its `error` what is allowed. Rules across fields are in rules.ts: zod does not run them when the shape is wrong.
 */
import * as z from 'zod';
import {subjectPattern, subjectRule} from '../kube/subjects.js';
import {keyAlgorithms} from '../keys/keys.js';
import {daysPattern, percentPattern} from './duration.js';
import {flag, line, list, map, oneOf, type Read, text} from './fields.js';
import {dnsLabelPattern, dnsLabelRule, labelValuePattern, labelValueRule, trustDomainPattern} from './names.js';
import {signerSchema} from './signer-schema.js';

const days = text('a number of days such as 730d', daysPattern);
const clusterName = text(`a cluster name: ${dnsLabelRule}`, dnsLabelPattern);
const dnsLabel = text(`a name: ${dnsLabelRule}`, dnsLabelPattern);
// Context names come from many tools (`arn:aws:eks:…`, `user@host/ns`): only what cannot be one line is refused.
const contextName = line('the name of a kubeconfig context');
const word = (what: string) => text(`${what}, without spaces`, /^[A-Za-z0-9][^\s]{0,254}$/);
const relativePath = /^(?!\/)(?!(?:.*\/)?\.\.(?:\/|$))[^\u0000-\u001f\\]+$/u;

/** What is merged over install.yaml, for all clusters or one. */
const merged = {
  'values?': z
    .record(z.string(), z.unknown(), {error: 'must be a map of Helm values'})
    .describe("Helm values merged into install.yaml's spec.values: maps deeply, lists are replaced."),
  'overlays?': list(
    'a list of files',
    text('a file in the work directory, as a relative path without ".."', relativePath),
  ).describe('Overlay files, relative to the work directory, merged into install.yaml in this order.'),
};

const clusterSchema = map('a map with at least "name"', {
  name: clusterName.describe("The cluster's name: unique in the mesh, its folder, and Istio's clusterName."),
  'context?': contextName.describe(
    'The kubeconfig context. contexts.yaml and --context go before it. Default: none, it must be said.',
  ),
  'network?': text(`a network name: ${labelValueRule}`, labelValuePattern).describe(
    "Istio's network ID: clusters of one network reach each other's pods directly. Default: none; install render asks for it.",
  ),
  'role?': oneOf(['primary', 'remote']).describe(
    'primary runs istiod; remote uses the istiod of another cluster. Default: primary.',
  ),
  'primary?': clusterName.describe('For a remote: the primary whose istiod it uses.'),
  'uid?': text("the UID of the cluster's kube-system namespace", /^[0-9A-Za-z][-0-9A-Za-z]{0,62}$/).describe(
    'UID of the kube-system namespace, recorded at first contact: another one later is refused.',
  ),
  ...merged,
}).describe('One cluster of the mesh.');

const threshold = z.tuple(
  [text('a share of the lifetime such as 30%', percentPattern), text('a number of days such as 30d', daysPattern)],
  {error: 'must be a share and a number of days such as [30%, 30d]'},
);

const istioVersion = /^(?:0|[1-9]\d{0,3})\.(?:0|[1-9]\d{0,3})(?:\.(?:0|[1-9]\d{0,3}))?$/;

const istioSchema = map('a map', {
  'version?': text('an Istio version such as "1.30" or "1.30.3"', istioVersion).describe(
    "Istio's version; decides the form of install.yaml. Default: istioctl is asked.",
  ),
  'namespace?': dnsLabel.describe("Istio's namespace. Default: istio-system."),
  'profile?': word('an installation profile such as default, minimal or ambient').describe(
    "istioctl's installation profile. Default: default.",
  ),
  'hub?': word('an image registry path').describe("Image registry and path. Default: istioctl's own."),
  'tag?': text('an image tag', /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/).describe("Image tag. Default: istioctl's own."),
  'revisions?': list('a list of revision names', dnsLabel)
    .min(1, {error: 'must name at least one revision'})
    .describe('Control plane revisions that are meant to run. Default: only the default revision.'),
  ...merged,
});

const expirySchema = map('a map with warn and error', {
  'warn?': threshold.describe('Below either, a certificate is a warning. Default: [30%, 30d].'),
  'error?': threshold.describe('Below either, a certificate is an error. Default: [10%, 7d].'),
});

const trustSchema = map('a map', {
  'keyAlgorithm?': oneOf(keyAlgorithms).describe('Algorithm of new CA keys. Default: rsa-4096.'),
  'rootValidity?': days.describe('How long a new root CA is valid, in days of 24 h. Default: 3650d.'),
  'clusterValidity?': days.describe('How long a new cluster CA is valid; never longer than its root. Default: 730d.'),
  'signer?': signerSchema.describe('Who signs cluster CAs. Default: {type: local}.'),
  'keepClusterKeys?': flag.describe(
    'false removes CLUSTER/ca-key.pem once a push is confirmed: the cluster holds it. Default: true.',
  ),
  'rotationReady?': flag.describe(
    'Renders what a later change of root needs without restarts, where the version has it. Default: true.',
  ),
  'expiry?': expirySchema.describe('When the remaining life of a certificate becomes a finding.'),
});

const reasonRequired = flag.describe('true refuses a change without --reason; dry runs need none. Default: false.');

const expected = list('a list of subjects', text(`a subject: ${subjectRule}`, subjectPattern)).describe(
  `Who is meant to reach the CA keys, in every cluster: ${subjectRule}. Others are findings.`,
);

/** mesh.yaml. */
export const meshFileSchema = map('a map with apiVersion, kind and clusters', {
  apiVersion: oneOf(['kubectl-mesh/v1alpha1']).describe('Version of this file format.'),
  kind: oneOf(['Mesh']).describe('Always Mesh.'),
  'meshID?': text(`a mesh ID: ${labelValueRule}`, labelValuePattern).describe(
    "Istio's mesh ID. Default: none; install render asks for it.",
  ),
  'trustDomain?': text('a trust domain: lower-case DNS labels joined by dots', trustDomainPattern).describe(
    'First part of every workload identity. Default: cluster.local.',
  ),
  'istio?': istioSchema.describe('What is installed, for all clusters.'),
  'trust?': trustSchema.describe('How certificates are made and watched.'),
  'audit?': map('a map', {'reasonRequired?': reasonRequired}).describe('What the record of changes asks for.'),
  'access?': map('a map such as {expected: [Group:platform-admins]}', {'expected?': expected}).describe(
    'Who may reach the CA keys, for access show and verify --access.',
  ),
  'clusters?': list('a list of clusters', clusterSchema).describe('The clusters of the mesh.'),
});

/** contexts.yaml: cluster names to this person's kubeconfig contexts. */
export const contextsFileSchema = z.record(clusterName, contextName, {
  error: 'must be a map of cluster names to contexts, such as "cluster1: kind-cluster1"',
});

/** What mesh.yaml says, as written. */
export type MeshFile = Read<typeof meshFileSchema>;
/** One entry of `clusters`, as written. */
export type MeshFileCluster = Read<typeof clusterSchema>;
/** What contexts.yaml says. */
export type ContextsFile = Read<typeof contextsFileSchema>;

/** The JSON Schema for editors, committed as mesh.schema.json. */
export function meshJsonSchema(): Record<string, unknown> {
  const {$schema, ...schema} = z.toJSONSchema(meshFileSchema, {target: 'draft-2020-12'});
  return {
    $schema,
    title: 'kubectl mesh: mesh.yaml',
    description: 'A mesh of Kubernetes clusters, declared for kubectl mesh.',
    ...schema,
  };
}
