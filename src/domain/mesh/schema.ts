/**
 * mesh.yaml and contexts.yaml as zod schemas: the one source of their types, of the error texts and of
 * mesh.schema.json (`npm run schema`). Every field says its meaning and default in its description; every rule says in
 * its `error` what is allowed. Rules across fields are in rules.ts: zod does not run them when the shape is wrong.
 */
// A namespace import: the bundler leaves out what is not used of it (two thirds, every language's messages above all).
import * as z from 'zod';
import {subjectPattern, subjectRule} from '../kube/subjects.js';
import {daysPattern, percentPattern} from './duration.js';
import {keyAlgorithms} from '../keys/keys.js';
import {signerSchema} from './signer-schema.js';
import {dnsLabelPattern, dnsLabelRule, labelValuePattern, labelValueRule, trustDomainPattern} from './names.js';

/** Sets the text for a wrong type and a wrong form alike: "must be …". */
function text(rule: string, pattern: RegExp) {
  return z.string({error: `must be ${rule}`}).regex(pattern, {error: `must be ${rule}`});
}

function oneOf<const Values extends readonly [string, ...string[]]>(values: Values) {
  return z.enum(values, {error: `must be ${values.length === 1 ? '' : 'one of '}${values.join(', ')}`});
}

const flag = z.boolean({error: 'must be true or false'});
const days = text('a number of days such as 730d', daysPattern);
const clusterName = text(`a cluster name: ${dnsLabelRule}`, dnsLabelPattern);
const dnsLabel = text(`a name: ${dnsLabelRule}`, dnsLabelPattern);
// Context names come from many tools (`arn:aws:eks:…`, `user@host/ns`): only what cannot be one line is refused.
const contextName = text('the name of a kubeconfig context, on one line', /^[^\u0000-\u001f\u007f]{1,1024}$/);
const word = (what: string) => text(`${what}, without spaces`, /^[A-Za-z0-9][^\s]{0,254}$/);

const values = z
  .record(z.string(), z.unknown(), {error: 'must be a map of Helm values'})
  .describe("Helm values merged into install.yaml's spec.values: maps deeply, lists are replaced.");
const overlays = z
  .array(
    text(
      'a file in the work directory, as a relative path without ".."',
      /^(?!\/)(?!(?:.*\/)?\.\.(?:\/|$))[^\u0000-\u001f\\]+$/u,
    ),
    {error: 'must be a list of files'},
  )
  .describe('Overlay files, relative to the work directory, merged into install.yaml in this order.');

const clusterSchema = z
  .strictObject(
    {
      name: clusterName.describe("The cluster's name: unique in the mesh, its folder, and Istio's clusterName."),
      context: contextName
        .describe('The kubeconfig context. contexts.yaml and --context go before it. Default: none, it must be said.')
        .optional(),
      network: text(`a network name: ${labelValueRule}`, labelValuePattern)
        .describe(
          "Istio's network ID: clusters of one network reach each other's pods directly. Default: none; install render asks for it.",
        )
        .optional(),
      role: oneOf(['primary', 'remote'])
        .describe('primary runs istiod; remote uses the istiod of another cluster. Default: primary.')
        .optional(),
      primary: clusterName.describe('For a remote: the primary whose istiod it uses.').optional(),
      uid: text("the UID of the cluster's kube-system namespace", /^[0-9A-Za-z][-0-9A-Za-z]{0,62}$/)
        .describe('UID of the kube-system namespace, recorded at first contact: another one later is refused.')
        .optional(),
      values: values.optional(),
      overlays: overlays.optional(),
    },
    {error: 'must be a map with at least "name"'},
  )
  .describe('One cluster of the mesh.');

const threshold = z.tuple(
  [text('a share of the lifetime such as 30%', percentPattern), text('a number of days such as 30d', daysPattern)],
  {error: 'must be a share and a number of days such as [30%, 30d]'},
);

const istioSchema = z.strictObject(
  {
    version: text(
      'an Istio version such as "1.30" or "1.30.3"',
      /^(?:0|[1-9]\d{0,3})\.(?:0|[1-9]\d{0,3})(?:\.(?:0|[1-9]\d{0,3}))?$/,
    )
      .describe("Istio's version; decides the form of install.yaml. Default: istioctl is asked.")
      .optional(),
    namespace: dnsLabel.describe("Istio's namespace. Default: istio-system.").optional(),
    profile: word('an installation profile such as default, minimal or ambient')
      .describe("istioctl's installation profile. Default: default.")
      .optional(),
    hub: word('an image registry path').describe("Image registry and path. Default: istioctl's own.").optional(),
    tag: text('an image tag', /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/)
      .describe("Image tag. Default: istioctl's own.")
      .optional(),
    revisions: z
      .array(dnsLabel, {error: 'must be a list of revision names'})
      .min(1, {error: 'must name at least one revision'})
      .describe('Control plane revisions that are meant to run. Default: only the default revision.')
      .optional(),
    values: values.optional(),
    overlays: overlays.optional(),
  },
  {error: 'must be a map'},
);

const trustSchema = z.strictObject(
  {
    keyAlgorithm: oneOf(keyAlgorithms).describe('Algorithm of new CA keys. Default: rsa-4096.').optional(),
    rootValidity: days.describe('How long a new root CA is valid, in days of 24 h. Default: 3650d.').optional(),
    clusterValidity: days
      .describe('How long a new cluster CA is valid; never longer than its root. Default: 730d.')
      .optional(),
    signer: signerSchema.describe('Who signs cluster CAs. Default: {type: local}.').optional(),
    keepClusterKeys: flag
      .describe('false removes CLUSTER/ca-key.pem once a push is confirmed: the cluster holds it. Default: true.')
      .optional(),
    rotationReady: flag
      .describe('Renders what a later change of root needs without restarts, where the version has it. Default: true.')
      .optional(),
    expiry: z
      .strictObject(
        {
          warn: threshold.describe('Below either, a certificate is a warning. Default: [30%, 30d].').optional(),
          error: threshold.describe('Below either, a certificate is an error. Default: [10%, 7d].').optional(),
        },
        {error: 'must be a map with warn and error'},
      )
      .describe('When the remaining life of a certificate becomes a finding.')
      .optional(),
  },
  {error: 'must be a map'},
);

const auditSchema = z.strictObject(
  {
    reasonRequired: flag
      .describe('true refuses a change without --reason; dry runs need none. Default: false.')
      .optional(),
  },
  {error: 'must be a map'},
);

const accessSchema = z.strictObject(
  {
    expected: z
      .array(text(`a subject: ${subjectRule}`, subjectPattern), {error: 'must be a list of subjects'})
      .describe(`Who is meant to reach the CA keys, in every cluster: ${subjectRule}. Others are findings.`)
      .optional(),
  },
  {error: 'must be a map such as {expected: [Group:platform-admins]}'},
);

/** mesh.yaml. */
export const meshFileSchema = z.strictObject(
  {
    apiVersion: oneOf(['kubectl-mesh/v1alpha1']).describe('Version of this file format.'),
    kind: oneOf(['Mesh']).describe('Always Mesh.'),
    meshID: text(`a mesh ID: ${labelValueRule}`, labelValuePattern)
      .describe("Istio's mesh ID. Default: none; install render asks for it.")
      .optional(),
    trustDomain: text('a trust domain: lower-case DNS labels joined by dots', trustDomainPattern)
      .describe('First part of every workload identity. Default: cluster.local.')
      .optional(),
    istio: istioSchema.describe('What is installed, for all clusters.').optional(),
    trust: trustSchema.describe('How certificates are made and watched.').optional(),
    audit: auditSchema.describe('What the record of changes asks for.').optional(),
    access: accessSchema.describe('Who may reach the CA keys, for access show and verify --access.').optional(),
    clusters: z
      .array(clusterSchema, {error: 'must be a list of clusters'})
      .describe('The clusters of the mesh.')
      .optional(),
  },
  {error: 'must be a map with apiVersion, kind and clusters'},
);

/** contexts.yaml: cluster names to this person's kubeconfig contexts. */
export const contextsFileSchema = z.record(clusterName, contextName, {
  error: 'must be a map of cluster names to contexts, such as "cluster1: kind-cluster1"',
});

/** What mesh.yaml says, as written. */
export type MeshFile = z.infer<typeof meshFileSchema>;
/** One entry of `clusters`, as written. */
export type MeshFileCluster = z.infer<typeof clusterSchema>;
/** What contexts.yaml says. */
export type ContextsFile = z.infer<typeof contextsFileSchema>;

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
