import {readdirSync} from 'node:fs';
import {defineConfig, globalIgnores} from 'eslint/config';
import {createTypeScriptImportResolver} from 'eslint-import-resolver-typescript';
import {importX} from 'eslint-plugin-import-x';
import prettier from 'eslint-config-prettier';
import tseslint from 'typescript-eslint';

// Who may import whom (docs/architecture.md). A folder's line lists what it must NOT import.
const layers = [
  {
    target: 'src/domain',
    from: ['commands', 'operations', 'observe', 'cli', 'engine', 'signers', 'workspace', 'tools', 'output'],
  },
  {target: 'src/workspace', from: ['commands', 'operations', 'observe', 'cli', 'engine', 'signers', 'tools', 'output']},
  {target: 'src/tools', from: ['commands', 'operations', 'observe', 'cli', 'engine', 'signers', 'workspace', 'output']},
  {target: 'src/signers', from: ['commands', 'operations', 'observe', 'cli', 'output']},
  {target: 'src/engine', from: ['commands', 'operations', 'observe', 'cli', 'output']},
  {target: 'src/observe', from: ['commands', 'operations', 'cli', 'output']},
  {target: 'src/operations', from: ['commands', 'cli', 'output']},
  {target: 'src/output', from: ['commands', 'observe', 'cli', 'tools', 'workspace', 'signers']},
  {target: 'src/cli', from: ['commands', 'operations', 'observe']},
];

// An operation imports nothing of another command: what commands share is in src/observe or src/operations/shared. Only
// `up` composes the operations of others.
const operations = readdirSync(new URL('src/operations', import.meta.url)).filter((name) => !/^up\b/.test(name));
const ownOperation = operations.map((name) => ({
  target: `./src/operations/${name}`,
  from: './src/operations',
  except: [...new Set([`./${name}`, './shared'])],
  message: 'An operation must not import the operation of another command (docs/architecture.md).',
}));

// Libraries and built-in modules with one door each.
const doors = [
  {name: 'execa', only: ['src/tools/runner.ts']},
  {name: 'listr2', only: ['src/output/progress.ts']},
  {name: 'node-forge', only: ['src/domain/asn1/der.ts']},
  {name: 'node:fs', only: ['src/workspace/**']},
  {name: 'node:child_process', only: []},
];

// Doors are one rule, and the last matching block of a file replaces it: so each exempt file gets the others' doors.
const closed = (exempt) => [
  'error',
  {
    paths: doors
      .filter((door) => door.name !== exempt)
      .map(({name}) => ({name, message: `${name} has one door: see eslint.config.mjs`})),
    patterns: doors
      .filter((door) => door.name !== exempt)
      .map(({name}) => ({group: [`${name}/*`], message: `${name} has one door: see eslint.config.mjs`})),
  },
];

const revealing = {
  selector: "CallExpression[callee.property.name='reveal']",
  message: 'reveal() is for the engine, the signers and the workspace.',
};
const opening = {
  selector:
    'MemberExpression[property.name=/^(open|forward)$/]:matches([object.name="clusters"], [object.property.name="clusters"])',
  message: 'Clusters are read through ClusterReader (src/observe/cluster-reader.ts).',
};
// A command in a hint is a value (docs/architecture.md, Suggested commands): text is neither quoted nor given the flags of the run.
const commandInHint = ['Literal[value', 'TemplateElement[value.raw'].map((text) => ({
  selector: `Property[key.name=/^hints?$/] ${text}=/(^|: )(kubectl|cmctl) [a-z-]/]`,
  message: 'A command in a hint is a value: see src/domain/suggest.',
}));

const impure = ['process', 'setTimeout', 'setInterval', 'fetch', 'console'];

export default defineConfig(
  globalIgnores(['dist', 'node_modules', 'coverage', '**/golden/**', 'test/fixtures/**']),
  {
    files: ['src/**/*.ts', 'test/**/*.ts', 'scripts/**/*.ts', '*.ts'],
    extends: [
      tseslint.configs.strictTypeChecked,
      tseslint.configs.stylisticTypeChecked,
      importX.flatConfigs.typescript,
    ],
    languageOptions: {parserOptions: {project: './tsconfig.tools.json', tsconfigRootDir: import.meta.dirname}},
    settings: {'import-x/resolver-next': [createTypeScriptImportResolver({project: './tsconfig.tools.json'})]},
    linterOptions: {reportUnusedDisableDirectives: 'error'},
    rules: {
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', {considerDefaultExhaustiveForUnions: true}],
      '@typescript-eslint/no-confusing-void-expression': ['error', {ignoreArrowShorthand: true}],
      'import-x/no-duplicates': ['error', {'prefer-inline': true}],
      'import-x/no-cycle': ['error', {ignoreExternal: true}],
      'no-restricted-syntax': [
        'error',
        {
          selector: 'ExportDefaultDeclaration:not(:has(ClassDeclaration))',
          message: 'Only commands have default exports.',
        },
        ...commandInHint,
      ],
      'max-lines': ['warn', {max: 400, skipBlankLines: true, skipComments: true}],
      eqeqeq: 'error',
    },
  },
  {
    files: ['src/**/*.ts'],
    rules: {
      'import-x/no-restricted-paths': [
        'error',
        {
          zones: [
            ...layers.flatMap(({target, from}) =>
              from.map((folder) => ({
                target: `./${target}`,
                from: `./src/${folder}`,
                message: `${target} must not import src/${folder} (docs/architecture.md).`,
              })),
            ),
            ...ownOperation,
          ],
        },
      ],
      'no-restricted-imports': closed(undefined),
      'no-console': 'error',
    },
  },
  ...doors
    .filter(({only}) => only.length > 0)
    .map(({name, only}) => ({files: only, rules: {'no-restricted-imports': closed(name)}})),
  {
    // Operations and what they observe know tools, workspace and signers by their types only: src/cli/deps.ts makes the deps.
    files: ['src/operations/**/*.ts', 'src/observe/**/*.ts', 'src/engine/**/*.ts'],
    ignores: ['src/engine/effects/**'],
    rules: {
      '@typescript-eslint/no-restricted-imports': [
        'error',
        {
          patterns: [
            {
              group: ['**/tools/**', '**/workspace/**', '**/signers/**'],
              allowTypeImports: true,
              message: 'Types only: what is outside comes through Deps.',
            },
          ],
        },
      ],
    },
  },
  {
    files: ['src/domain/**/*.ts'],
    rules: {
      'no-restricted-globals': ['error', ...impure.map((name) => ({name, message: 'The domain is pure.'}))],
      'no-restricted-properties': [
        'error',
        {object: 'Date', property: 'now', message: 'Time is an argument.'},
        {object: 'Math', property: 'random', message: 'Randomness is an argument.'},
      ],
      '@typescript-eslint/no-restricted-imports': [
        'error',
        {
          paths: [
            {
              name: 'node:crypto',
              importNames: ['randomBytes', 'randomInt', 'randomUUID', 'generateKeyPair', 'generateKeyPairSync'],
              message: 'Randomness is an argument: keys are made in src/signers/keys.ts.',
            },
          ],
        },
      ],
    },
  },
  {
    // What is sensitive is revealed only where it is used: by effects, signers and the work directory, and where a
    // private key's text is parsed.
    files: ['src/**/*.ts'],
    ignores: [
      'src/engine/**',
      'src/signers/**',
      'src/workspace/**',
      'src/domain/keys/private-key.ts',
      'src/domain/x509/recognize.ts',
    ],
    rules: {'no-restricted-syntax': ['error', revealing, ...commandInHint]},
  },
  {
    // A cluster is read by the table of requests (src/domain/facts/requests.ts) alone.
    files: ['src/operations/**/*.ts', 'src/observe/**/*.ts'],
    ignores: ['src/observe/cluster-reader.ts'],
    rules: {'no-restricted-syntax': ['error', revealing, opening, ...commandInHint]},
  },
  {
    files: ['test/**/*.ts', 'scripts/**/*.ts'],
    rules: {'@typescript-eslint/no-non-null-assertion': 'off', 'max-lines': 'off'},
  },
  {files: ['*.ts', 'test/**/*.ts'], rules: {'no-restricted-syntax': 'off'}},
  prettier,
);
