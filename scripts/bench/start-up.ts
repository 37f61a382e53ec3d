/** Start-up time: commands that only read, compared with Node itself and with the smallest oclif program. */
import {writeFile} from 'node:fs/promises';
import {dirname, join} from 'node:path';
import {fileURLToPath, pathToFileURL} from 'node:url';
import {build, type BuildOptions} from 'esbuild';
import {interleave} from './interleave.js';
import {type BenchContext, defineScenario, once, type Report, type Size} from './scenario.js';
import {ratioOfMedians, spread} from './statistics.js';

const helpTarget = 2.3;

export const startUp = defineScenario({
  name: 'start-up',
  sizes: {full: {runs: 25, warmUp: true}, quick: once},
  title: () => 'Start-up: commands that only read, against `node -e 0`',
  measure,
});

async function measure({program, sandbox, progress}: BenchContext, size: Size): Promise<Report> {
  const node = process.execPath;
  const workDir = sandbox.directory();
  const init = ['init', 'cluster1=one', 'cluster2=two'];
  const generate = ['certs', 'generate', '--no-passphrase', '--key-algorithm', 'ecdsa-p256'];
  for (const args of [init, generate]) {
    await sandbox.run({file: node, args: [program, ...args], cwd: workDir});
  }
  const empty = join(sandbox.directory(), 'empty.mjs');
  await writeFile(empty, '');
  const loadOnly = join(dirname(empty), 'load.mjs');
  const main = pathToFileURL(join(dirname(program), '../dist/main.js')).href;
  await writeFile(loadOnly, `import ${JSON.stringify(main)};\n`);
  const smallest = await smallestOclifProgram(sandbox.directory());

  const timed =
    (...args: string[]) =>
    async (): Promise<number> =>
      (await sandbox.run({file: node, args, cwd: workDir})).ms;
  const measured = await interleave(
    {
      bare: timed('-e', '0'),
      module: timed(empty),
      load: timed(loadOnly),
      smallest: timed(smallest, '--help'),
      version: timed(program, '--version'),
      help: timed(program, '--help'),
      commandHelp: timed(program, 'certs', 'generate', '--help'),
      list: timed(program, 'certs', 'list'),
      listJson: timed(program, 'certs', 'list', '-o', 'json'),
    },
    size,
    progress,
  );
  const bare = spread(measured.bare);
  const against = 'node -e 0';
  const [help, version, load, module, other] = [
    measured.help,
    measured.version,
    measured.load,
    measured.module,
    measured.smallest,
  ].map((values) => spread(values).median) as [number, number, number, number, number];
  const parts = [
    ['node itself', bare.median],
    ['its loader of ES modules', module - bare.median],
    ['reading and compiling main.js (oclif)', load - module],
    ['oclif: manifest, hooks, finding the command', version - load],
    ['writing the help', help - version],
  ] as const;
  return {
    rows: [
      ratioOfMedians('--help', against, spread(measured.help), bare, {target: helpTarget}),
      ratioOfMedians('certs list, 2 clusters', against, spread(measured.list), bare),
      ratioOfMedians('certs list -o json, 2 clusters', against, spread(measured.listJson), bare),
      ratioOfMedians('certs generate --help', against, spread(measured.commandHelp), bare),
      ratioOfMedians('--version', against, spread(measured.version), bare),
      ratioOfMedians('main.js loaded, not run', against, spread(measured.load), bare),
      ratioOfMedians('an empty ES module', against, spread(measured.module), bare),
      ratioOfMedians('--help of an oclif program with one empty command', against, spread(measured.smallest), bare),
      ratioOfMedians(
        '--help',
        'that of an oclif program with one empty command',
        spread(measured.help),
        spread(measured.smallest),
      ),
    ],
    notes: [
      `Parts of --help, as differences of medians: ${parts.map(([what, ms]) => `${what} ${ms.toFixed(0)} ms`).join(', ')}; the help of an oclif program with one empty command takes ${other.toFixed(0)} of these ${help.toFixed(0)} ms.`,
    ],
  };
}

/** The smallest oclif program: one empty command, with a manifest, bundled like this program. Returns its main file. */
async function smallestOclifProgram(directory: string): Promise<string> {
  const main = `
    import {run} from '@oclif/core/run';
    import {flush} from '@oclif/core/flush';
    await run(process.argv.slice(2), import.meta.url);
    await flush();`;
  const command = `
    import {Command} from '@oclif/core';
    export default class Empty extends Command { static summary = 'does nothing'; async run() {} }`;
  await writeFile(join(directory, 'main.ts'), main);
  await writeFile(join(directory, 'empty.ts'), command);
  const options: BuildOptions = {
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    outdir: join(directory, 'dist'),
    external: ['typescript'],
    banner: {
      js: "import {createRequire as __createRequire} from 'node:module';const require = __createRequire(import.meta.url);",
    },
    logLevel: 'silent',
    nodePaths: [fileURLToPath(new URL('../../node_modules', import.meta.url))],
    entryPoints: [
      {in: join(directory, 'main.ts'), out: 'main'},
      {in: join(directory, 'empty.ts'), out: 'commands/empty'},
    ],
  };
  await build(options);
  const oclif = {bin: 'smallest', dirname: 'smallest', commands: './dist/commands'};
  await writeFile(
    join(directory, 'package.json'),
    JSON.stringify({name: 'smallest', version: '1.0.0', type: 'module', bin: {smallest: 'dist/main.js'}, oclif}),
  );
  await writeFile(
    join(directory, 'oclif.manifest.json'),
    JSON.stringify({
      version: '1.0.0',
      commands: {
        empty: {
          id: 'empty',
          summary: 'does nothing',
          aliases: [],
          args: {},
          flags: {},
          hasDynamicHelp: false,
          hiddenAliases: [],
          pluginAlias: 'smallest',
          pluginName: 'smallest',
          pluginType: 'core',
          strict: true,
          enableJsonFlag: false,
          isESM: true,
          relativePath: ['dist', 'commands', 'empty.js'],
        },
      },
    }),
  );
  return join(directory, 'dist', 'main.js');
}
