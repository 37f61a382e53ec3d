/**
 * The environment variables of Vault's and OpenBao's command line (hashicorp/vault api/client.go, openbao/openbao
 * api/client.go) that are read here. `BAO_X` counts before `VAULT_X`, as it does for `bao`; an empty one is not set.
 */

/** Those that hold a secret. They leave the environment before any child could inherit them (`cli/environment.ts`). */
export const vaultSecretVariables = ['BAO_TOKEN', 'VAULT_TOKEN', 'BAO_SECRET_ID', 'VAULT_SECRET_ID'] as const;

/** What may be said by a variable, without its prefix. */
export type VaultVariable =
  | 'ADDR'
  | 'NAMESPACE'
  | 'CACERT'
  | 'CACERT_BYTES'
  | 'CAPATH'
  | 'TLS_SERVER_NAME'
  | 'CLIENT_CERT'
  | 'CLIENT_KEY'
  | 'SKIP_VERIFY'
  | 'ROLE_ID';

/** Both names of a variable, in the order they count. */
export function vaultNames(variable: string): readonly [string, string] {
  return [`BAO_${variable}`, `VAULT_${variable}`];
}

/** Reads one: its value, and by which name it is set; undefined when neither name is set. */
export function readVaultVariable(
  environment: Readonly<Record<string, string | undefined>>,
  variable: VaultVariable,
): {readonly name: string; readonly value: string} | undefined {
  for (const name of vaultNames(variable)) {
    const value = environment[name]?.trim();
    if (value !== undefined && value !== '') return {name, value};
  }
  return undefined;
}
