/** Flags of `certs request --cert-manager`. */
import {Flags} from '@oclif/core';
import {MeshError} from '../../domain/errors.js';
import type {IssuerRef} from '../../domain/ca/cert-manager.js';

/** RFC 1123 subdomain, as Kubernetes names objects (kubernetes/apimachinery pkg/util/validation/validation.go). */
const objectName = /^[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?$/;
const kindName = /^[A-Z][A-Za-z0-9]{0,62}$/;

const dependsOn = ['cert-manager'];

export const certManagerFlags = {
  'cert-manager': Flags.boolean({
    description:
      "print cert-manager's Certificate for each cluster instead: it makes the CA in Secret cacerts and renews it",
    dependsOn: ['issuer'],
    exclusive: ['renew'],
  }),
  issuer: Flags.string({dependsOn, helpValue: 'NAME', description: "the issuer, by cert-manager's name for it"}),
  'issuer-kind': Flags.string({
    dependsOn,
    helpValue: 'KIND',
    description: 'its kind: Issuer, or that of an external issuer (ClusterIssuer when not said)',
  }),
  'issuer-group': Flags.string({
    dependsOn,
    helpValue: 'GROUP',
    description: 'its API group (cert-manager.io when not said)',
  }),
};

/** The issuer as said. Throws `USAGE`. */
export function issuerOf(flags: {
  readonly issuer?: string | undefined;
  readonly 'issuer-kind'?: string | undefined;
  readonly 'issuer-group'?: string | undefined;
}): IssuerRef {
  const {issuer = '', 'issuer-kind': kind = 'ClusterIssuer', 'issuer-group': group = 'cert-manager.io'} = flags;
  const fail = (flag: string, said: string): MeshError =>
    new MeshError('USAGE', `${flag} ${JSON.stringify(said)} is not what Kubernetes calls anything`);
  if (!objectName.test(issuer)) throw fail('--issuer', issuer);
  if (!kindName.test(kind)) throw fail('--issuer-kind', kind);
  if (!objectName.test(group)) throw fail('--issuer-group', group);
  return {name: issuer, kind, group};
}
