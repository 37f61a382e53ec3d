/** Which requests the user does not want to be sent: the one place where such a flag is turned into a decision. */
import {type Read, type ReadName, reads, readsSecrets} from './requests.js';

/** What the user does not want to be read. */
export interface Limits {
  /** `--no-secrets`: read no Secret. */
  readonly noSecrets?: boolean;
  /** `--no-live`: open no connection to istiod. */
  readonly noLive?: boolean;
  /** `--offline`: talk to no cluster. */
  readonly offline?: boolean;
  /** `--access`: read who may do what (RBAC), and remote secrets. */
  readonly access?: boolean;
}

/** The flag, present or missing, that keeps a request from being sent. */
export type LimitingFlag = '--offline' | '--access' | '--no-live' | '--no-secrets';

/** Which flag keeps a request from being sent; undefined where it may be. */
export function limitOn(name: ReadName, limits: Limits): LimitingFlag | undefined {
  const read: Read = reads[name];
  if (limits.offline === true) return '--offline';
  if (read.method === 'raw') return undefined;
  if (read.onRequest !== undefined && limits.access !== true) return read.onRequest;
  if (limits.noLive === true && read.method === 'forward') return '--no-live';
  return limits.noSecrets === true && readsSecrets(name) ? '--no-secrets' : undefined;
}

/** No request is left out. */
export const noLimits: Limits = {access: true};
