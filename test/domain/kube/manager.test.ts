import {expect, it} from 'vitest';
import {managerOf} from '../../../src/domain/kube/manager.js';
import type {ObjectMeta} from '../../../src/domain/kube/object.js';

const flux = {'kustomize.toolkit.fluxcd.io/name': 'mesh', 'kustomize.toolkit.fluxcd.io/namespace': 'flux-system'};
const tracking = 'argocd.argoproj.io/tracking-id';

function manager(metadata: Partial<ObjectMeta>): string | undefined {
  return managerOf({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {name: 'cacerts', namespace: 'istio-system', ...metadata},
  });
}

it.each<[string, Partial<ObjectMeta>, string]>([
  [
    'cert-manager',
    {annotations: {'cert-manager.io/certificate-name': 'istio-ca'}},
    'cert-manager Certificate istio-ca',
  ],
  ['an owner', {ownerReferences: [{kind: 'SealedSecret', name: 'cacerts', uid: 'u'}]}, 'SealedSecret cacerts'],
  [
    'External Secrets without an owner',
    {labels: {'reconcile.external-secrets.io/managed': 'true'}},
    'External Secrets',
  ],
  [
    'External Secrets before its label',
    {annotations: {'reconcile.external-secrets.io/data-hash': '3f9a1c'}},
    'External Secrets',
  ],
  ['kapp', {labels: {'kapp.k14s.io/app': '1557433075084066000'}}, 'kapp app 1557433075084066000'],
  ['Argo CD', {annotations: {[tracking]: 'app:/Secret:istio-system/cacerts'}}, 'Argo CD application app'],
  ['Argo CD with its own label', {labels: {'argocd.argoproj.io/instance': 'app'}}, 'Argo CD application app'],
  ['Argo CD by field manager', {managedFields: [{manager: 'argocd-controller'}]}, 'Argo CD'],
  ['a Flux Kustomization', {labels: flux}, 'Flux mesh'],
  ['a Flux HelmRelease', {labels: {'helm.toolkit.fluxcd.io/name': 'mesh'}}, 'Flux mesh'],
  [
    'Helm',
    {
      labels: {'app.kubernetes.io/managed-by': 'Helm'},
      annotations: {'meta.helm.sh/release-name': 'mesh', 'meta.helm.sh/release-namespace': 'istio-system'},
    },
    'Helm release mesh',
  ],
  [
    'External Secrets, not the Flux and Argo CD that manage the ExternalSecret, whose metadata it copies',
    {
      labels: {...flux, 'reconcile.external-secrets.io/managed': 'true'},
      annotations: {[tracking]: 'app:external-secrets.io/ExternalSecret:istio-system/cacerts'},
    },
    'External Secrets',
  ],
])('recognizes %s', (_tool, metadata, name) => {
  expect(manager(metadata)).toBe(name);
});

it.each<[string, Partial<ObjectMeta>]>([
  ['a Secret without labels', {}],
  ["kubectl's field manager", {managedFields: [{manager: 'kubectl-create'}]}],
  ['a label that charts set however they are rendered', {labels: {'app.kubernetes.io/managed-by': 'Helm'}}],
  ['a label that Argo CD may use for tracking, and charts set', {labels: {'app.kubernetes.io/instance': 'istiod'}}],
  ["an Argo CD ID of another object's kind", {annotations: {[tracking]: 'app:cert-manager.io/Certificate:a/b'}}],
  ['an empty name', {annotations: {'meta.helm.sh/release-name': ''}}],
])('does not take %s for a manager', (_what, metadata) => {
  expect(manager(metadata)).toBeUndefined();
});
