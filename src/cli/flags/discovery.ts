import {Flags} from '@oclif/core';

/** Overrides of refusals of link and up: one flag for each rule. */
export const discoveryFlags = {
  'allow-local-address': Flags.boolean({
    description:
      'write API server addresses that only this machine reaches, such as 127.0.0.1, to other clusters: for control planes that run on it',
    helpGroup: 'SAFETY',
  }),
  'accept-short-tokens': Flags.boolean({
    description: 'accept tokens that an API server grants for less than 7 days: link must then run regularly',
    helpGroup: 'SAFETY',
  }),
};

/** The rules that they override. */
export function discoveryRules(flags: Readonly<Record<keyof typeof discoveryFlags, boolean>>) {
  return {
    allowLocalAddress: flags['allow-local-address'],
    acceptShortTokens: flags['accept-short-tokens'],
  };
}
