import {Flags} from '@oclif/core';
import {MeshError} from '../../domain/errors.js';
import type {TokenStore} from '../../domain/discovery/external-secret.js';
import {durationFlag, parseWith} from './duration.js';
import {objectName} from './monitor.js';

/** `ClusterSecretStore/vault` */
function parseStore(text: string): Pick<TokenStore, 'kind' | 'name'> | undefined {
  const [, kind, name = ''] =
    /^(SecretStore|ClusterSecretStore)\/([a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?)$/.exec(text) ?? [];
  return kind === undefined ? undefined : {kind: kind as TokenStore['kind'], name};
}

/** Flags of the manifests for git, without tokens. */
export const exportFlags = {
  'output-dir': Flags.string({
    helpValue: 'DIR',
    dependsOn: ['secret-store'],
    exclusive: ['cron-manifest'],
    description:
      'write manifests without tokens to DIR/CLUSTER/*.yaml, or - for standard output, and change no cluster; remote secrets are ExternalSecrets',
    helpGroup: 'MANIFESTS',
  }),
  'secret-store': Flags.custom<Pick<TokenStore, 'kind' | 'name'>>({
    parse: parseWith(parseStore, 'SecretStore/NAME or ClusterSecretStore/NAME'),
  })({
    helpValue: 'KIND/NAME',
    dependsOn: ['output-dir'],
    description: 'SecretStore or ClusterSecretStore from which External Secrets takes the tokens',
    helpGroup: 'MANIFESTS',
  }),
  'secret-property': Flags.string({
    helpValue: 'NAME',
    dependsOn: ['output-dir'],
    description: "property that contains the token, for a store whose values are maps, such as Vault's (default: none)",
    helpGroup: 'MANIFESTS',
  }),
};

/** Flags of the CronJob that renews tokens. */
export const renewalFlags = {
  'cron-manifest': Flags.boolean({
    dependsOn: ['image'],
    description: 'print a CronJob that runs link to renew tokens, and change no cluster',
    helpGroup: 'MANIFESTS',
  }),
  image: Flags.string({
    helpValue: 'IMAGE',
    dependsOn: ['cron-manifest'],
    parse: (text) => Promise.resolve(imageOf(text)),
    description: 'image of the CronJob, with kubectl-mesh and kubectl',
    helpGroup: 'MANIFESTS',
  }),
  namespace: objectName({
    dependsOn: ['cron-manifest'],
    description: "namespace of the CronJob (default: none, so that kubectl apply uses the context's namespace)",
    helpGroup: 'MANIFESTS',
  }),
  'granted-lifetime': durationFlag({
    dependsOn: ['cron-manifest'],
    description: 'lifetime of the tokens that API servers grant, if shorter than discovery.tokenLifetime, such as 24h',
    helpGroup: 'MANIFESTS',
  }),
};

/** Image references have no spaces (github.com/distribution/reference, reference.go). */
function imageOf(text: string): string {
  if (/^[A-Za-z0-9][^\s]{0,511}$/.test(text)) return text;
  throw new MeshError('USAGE', `invalid --image ${JSON.stringify(text)}: must be an image reference`);
}
