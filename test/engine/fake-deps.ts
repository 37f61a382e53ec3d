import {MeshError} from '../../src/domain/errors.js';
import type {Deps} from '../../src/engine/deps.js';
import type {FileContent} from '../../src/workspace/workspace.js';

/** What happened, in order: `lock`, `intent ID`, `write PATH`, `outcome STATUS`, `release`. */
export type Log = string[];

const absent = (what: string) => (): never => {
  throw new Error(`${what} is not part of this test`);
};

/** Deps whose workspace records what is done to it; `onWrite` may throw to make an effect fail. */
export function fakeDeps(
  log: Log,
  options: {
    onWrite?: (file: FileContent) => void | Promise<void>;
    interactive?: boolean;
    answer?: boolean;
    signal?: AbortSignal;
    journalFails?: 'intent' | 'outcome';
    meshYaml?: string;
  } = {},
): Deps {
  return {
    workspace: {
      root: '/nowhere',
      readText: () => Promise.resolve(options.meshYaml),
      readGenerated: () => Promise.resolve(undefined),
      isBelow: () => Promise.resolve(false),
      readSecret: absent('readSecret'),
      stat: absent('stat'),
      statTarget: absent('statTarget'),
      list: absent('list'),
      async write(files) {
        for (const file of files) {
          await options.onWrite?.(file);
          log.push(`write ${file.path}`);
        }
      },
      remove: absent('remove'),
      directory: absent('directory'),
      recover: () => {
        log.push('recover');
        return Promise.resolve([]);
      },
      lock: () => {
        log.push('lock');
        return Promise.resolve({
          release: () => {
            log.push('release');
            return Promise.resolve();
          },
        });
      },
      journal: {
        read: absent('journal.read'),
        intent: (entry) => {
          if (options.journalFails === 'intent') return Promise.reject(new MeshError('DISK_FULL', 'no room'));
          log.push(`intent ${entry.action}`);
          return Promise.resolve({chain: entry.action, seq: 0, hash: '0'.repeat(64)});
        },
        outcome: (entry) => {
          log.push(`outcome ${entry.intent.chain} ${entry.status}`);
          if (options.journalFails === 'outcome') return Promise.reject(new MeshError('DISK_FULL', 'no room'));
          return Promise.resolve();
        },
      },
      readOutside: absent('readOutside'),
      writeOutside: absent('writeOutside'),
    },
    clusters: {
      open: absent('open'),
      openDetached: absent('open'),
      forward: absent('forward'),
      missingContext: () => Promise.resolve(undefined),
      serverOf: absent('server'),
      close: () => Promise.resolve(),
    },
    git: {isIgnored: absent('git'), committedKeys: absent('git history')},
    istioctl: {version: absent('version'), run: absent('run')},
    passphrases: {available: false, get: absent('passphrase'), retry: () => false},
    newPassphrases: {available: false, get: absent('new passphrase'), retry: () => false},
    tls: {presentedChain: absent('presentedChain')},
    http: {get: absent('http.get')},
    rootStore: absent('rootStore'),
    signers: {
      survey: absent('survey'),
      issuer: absent('issuer'),
      rootSigner: absent('rootSigner'),
      startKey: absent('startKey'),
      takeKey: absent('takeKey'),
    },
    terminal: {
      interactive: options.interactive ?? false,
      confirm: (question) => {
        log.push(`prompt ${question}`);
        return Promise.resolve(options.answer ?? false);
      },
    },
    environment: {},
    now: () => new Date('2026-01-01T00:00:00Z'),
    sleep: () => Promise.resolve(),
    signal: options.signal ?? new AbortController().signal,
  };
}
