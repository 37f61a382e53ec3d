/**
 * The environment variables of the Vault and OpenBao command lines (hashicorp/vault api/client.go, openbao/openbao
 * api/client.go) that this program reads. As in `bao`, `BAO_X` takes precedence over `VAULT_X`; an empty one is unset.
 */

/** Variables with secrets. They are removed from the environment before a child process is started (`cli/environment.ts`). */
export const vaultSecretVariables = ['BAO_TOKEN', 'VAULT_TOKEN', 'BAO_SECRET_ID', 'VAULT_SECRET_ID'] as const;

/** The name of a variable without its prefix. */
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

/** Returns both names of a variable, in order of precedence. */
export function vaultNames(variable: string): readonly [string, string] {
  return [`BAO_${variable}`, `VAULT_${variable}`];
}

/** Reads a variable: its value, and the name that is set; undefined if neither name is set. */
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
