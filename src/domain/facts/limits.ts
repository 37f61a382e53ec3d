/** The requests that flags exclude: the only place that interprets these flags. */
import {type Read, type ReadName, reads, readsSecrets} from './requests.js';

/** The flags that limit which requests are sent. */
export interface Limits {
  /** `--no-secrets`: read no Secret. */
  readonly noSecrets?: boolean;
  /** `--no-live`: open no connection to istiod. */
  readonly noLive?: boolean;
  /** `--offline`: contact no cluster. */
  readonly offline?: boolean;
  /** `--access`: read RBAC and remote secrets. */
  readonly access?: boolean;
}

/** A flag whose presence, or for `--access` absence, excludes a request. */
export type LimitingFlag = '--offline' | '--access' | '--no-live' | '--no-secrets';

/** The flag that excludes a request; undefined if it can be sent. */
export function limitOn(name: ReadName, limits: Limits): LimitingFlag | undefined {
  const read: Read = reads[name];
  if (limits.offline === true) return '--offline';
  if (read.method === 'raw') return undefined;
  if (read.onRequest !== undefined && limits.access !== true) return read.onRequest;
  if (limits.noLive === true && read.method === 'forward') return '--no-live';
  return limits.noSecrets === true && readsSecrets(name) ? '--no-secrets' : undefined;
}

/** Excludes no request. */
export const noLimits: Limits = {access: true};
