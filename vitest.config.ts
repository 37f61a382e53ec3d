import {availableParallelism} from 'node:os';
import {defineConfig} from 'vitest/config';
import {inOwnNetwork} from './test/e2e/harness/data-path/vitest-pool.js';

const minute = 60_000;

/** Tests whose requests cross clusters through real proxies. */
const dataPathTests = ['test/e2e/data-path*.test.ts'];

// In CI every run leaves a report, which scripts/ci-summary.mjs adds up.
const script = (process.env.npm_lifecycle_event ?? 'vitest').replaceAll(':', '-');
const reportFile = `.cache/test-reports/${script}.json`;

/**
 * unit, commands and long run on the sources, and share one module cache per worker (`isolate: false`): our modules hold no state.
 * smoke, robustness, e2e, data-path and faults run the built program as a child process. The workers of data-path have a network of
 * their own, in which the processes that they start are, too.
 */
export default defineConfig({
  test: {
    // Most tests wait for child processes or timers part of the time. Vitest's default leaves one core unused.
    maxWorkers: 2 * availableParallelism(),
    reporters: process.env.CI ? ['default', ['json', {outputFile: reportFile}]] : ['default'],
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/{domain,engine,cli,observe,operations,signers,workspace,tools,output,scripts}/**/*.test.ts'],
          isolate: false,
          testTimeout: minute,
          hookTimeout: minute,
          setupFiles: ['test/helpers/crypto-once.ts'],
          globalSetup: ['test/helpers/temporary-files.ts'],
        },
      },
      {
        test: {
          name: 'commands',
          include: ['test/commands/**/*.test.ts'],
          isolate: false,
          testTimeout: minute,
          hookTimeout: minute,
          setupFiles: ['test/helpers/crypto-once.ts'],
          globalSetup: ['test/helpers/temporary-files.ts'],
        },
      },
      {
        test: {
          name: 'long',
          include: ['test/long/**/*.test.ts'],
          isolate: false,
          testTimeout: 3 * minute,
          hookTimeout: minute,
          setupFiles: ['test/helpers/crypto-once.ts'],
          globalSetup: ['test/helpers/temporary-files.ts'],
        },
      },
      {
        test: {
          name: 'smoke',
          include: ['test/smoke/**/*.test.ts'],
          testTimeout: 3 * minute,
          hookTimeout: 5 * minute,
          globalSetup: ['test/helpers/build-once.ts', 'test/helpers/temporary-files.ts'],
        },
      },
      {
        test: {
          name: 'robustness',
          include: ['test/robustness/**/*.test.ts'],
          testTimeout: 3 * minute,
          hookTimeout: 3 * minute,
          globalSetup: ['test/helpers/build-once.ts', 'test/helpers/temporary-files.ts'],
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          exclude: dataPathTests,
          testTimeout: 10 * minute,
          hookTimeout: 30 * minute,
          fileParallelism: false,
          globalSetup: ['test/helpers/build-once.ts'],
        },
      },
      {
        test: {
          name: 'data-path',
          include: dataPathTests,
          pool: inOwnNetwork,
          testTimeout: 10 * minute,
          hookTimeout: 30 * minute,
          fileParallelism: false,
          // After e2e, not beside it: both need most of the machine.
          sequence: {groupOrder: 1},
          globalSetup: ['test/helpers/build-once.ts'],
        },
      },
      {
        test: {
          name: 'faults',
          include: ['test/faults/**/*.test.ts'],
          testTimeout: 10 * minute,
          hookTimeout: 30 * minute,
          fileParallelism: false,
          globalSetup: ['test/helpers/build-once.ts', 'test/faults/harness/setup.ts'],
        },
      },
    ],
  },
});
