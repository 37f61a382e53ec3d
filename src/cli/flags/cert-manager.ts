/** Flags of `certs request --cert-manager`. */
import {Flags} from '@oclif/core';
import type {IssuerRef} from '../../domain/ca/cert-manager.js';
import {invalidFlag} from '../usage-error.js';

/** DNS-1123 subdomain, as in Kubernetes object names (kubernetes/apimachinery pkg/util/validation/validation.go). */
const objectName = /^[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?$/;
const kindName = /^[A-Z][A-Za-z0-9]{0,62}$/;

const dependsOn = ['cert-manager'];

export const certManagerFlags = {
  'cert-manager': Flags.boolean({
    description:
      'print a cert-manager Certificate for each cluster, and write no files: cert-manager then issues and renews the CA in Secret cacerts',
    dependsOn: ['issuer'],
    exclusive: ['renew'],
  }),
  issuer: Flags.string({
    dependsOn,
    helpValue: 'NAME',
    description: 'name of the cert-manager issuer; required with --cert-manager',
  }),
  'issuer-kind': Flags.string({
    dependsOn,
    helpValue: 'KIND',
    description: "kind of the issuer: ClusterIssuer, Issuer or an external issuer's kind (default: ClusterIssuer)",
  }),
  'issuer-group': Flags.string({
    dependsOn,
    helpValue: 'GROUP',
    description: 'API group of the issuer (default: cert-manager.io)',
  }),
};

/** The issuer that the flags name. Throws `USAGE`. */
export function issuerOf(flags: {
  readonly issuer?: string | undefined;
  readonly 'issuer-kind'?: string | undefined;
  readonly 'issuer-group'?: string | undefined;
}): IssuerRef {
  const {issuer = '', 'issuer-kind': kind = 'ClusterIssuer', 'issuer-group': group = 'cert-manager.io'} = flags;
  if (!objectName.test(issuer)) throw invalidFlag('issuer', issuer, 'a DNS-1123 subdomain');
  if (!kindName.test(kind)) throw invalidFlag('issuer-kind', kind, 'a kind such as ClusterIssuer');
  if (!objectName.test(group)) throw invalidFlag('issuer-group', group, 'a DNS-1123 subdomain');
  return {name: issuer, kind, group};
}
