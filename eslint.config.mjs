import {readdirSync} from 'node:fs';
import {defineConfig, globalIgnores} from 'eslint/config';
import {createTypeScriptImportResolver} from 'eslint-import-resolver-typescript';
import {importX} from 'eslint-plugin-import-x';
import prettier from 'eslint-config-prettier';
import tseslint from 'typescript-eslint';

// Import rules between layers (docs/architecture.md): the directories that each layer must NOT import.
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

// An operation must not import another command's operation: shared code is in src/observe or src/operations/shared.
// Only these compose other operations.
const composed = ['up.ts', 'rotate-cluster-ca.ts'];
const operations = readdirSync(new URL('src/operations', import.meta.url)).filter((name) => !composed.includes(name));
const ownOperation = operations.map((name) => ({
  target: `./src/operations/${name}`,
  from: './src/operations',
  except: [...new Set([`./${name}`, './shared'])],
  message: 'An operation must not import the operation of another command (docs/architecture.md).',
}));

// Libraries and built-in modules that only one module may import.
const wrappers = [
  {name: 'execa', only: ['src/tools/runner.ts']},
  {name: 'listr2', only: ['src/output/progress.ts']},
  {name: 'node-forge', only: ['src/domain/asn1/der.ts']},
  {name: 'node:fs', only: ['src/workspace/**']},
  {name: 'node:child_process', only: []},
];

// All are one rule, and the last matching block of a file replaces it: each exempt file therefore restricts the others.
const restricted = (exempt) => {
  const others = wrappers.filter(({name}) => name !== exempt);
  const message = ({name, only}) =>
    `${name} may be imported only in ${only.join(', ') || 'tests'} (eslint.config.mjs).`;
  return [
    'error',
    {
      paths: others.map((module) => ({name: module.name, message: message(module)})),
      patterns: others.map((module) => ({group: [`${module.name}/*`], message: message(module)})),
    },
  ];
};

const revealing = {
  selector: "CallExpression[callee.property.name='reveal']",
  message: 'reveal() may be called only in the engine, the signers and the workspace.',
};
const opening = {
  selector:
    'MemberExpression[property.name=/^(open|forward)$/]:matches([object.name="clusters"], [object.property.name="clusters"])',
  message: 'Read clusters through ClusterReader (src/observe/cluster-reader.ts).',
};
// Commands in hints are values (docs/architecture.md, Suggested commands): text lacks quoting and the run's flags.
const commandInHint = ['Literal[value', 'TemplateElement[value.raw'].map((text) => ({
  selector: `Property[key.name=/^hints?$/] ${text}=/(^|: )(kubectl|cmctl) [a-z-]/]`,
  message: 'Commands in hints must be values: see src/domain/suggest.',
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
      'no-restricted-imports': restricted(undefined),
      'no-console': 'error',
    },
  },
  ...wrappers
    .filter(({only}) => only.length > 0)
    .map(({name, only}) => ({files: only, rules: {'no-restricted-imports': restricted(name)}})),
  {
    // Operations import only types of tools, workspace and signers: src/cli/deps.ts creates the dependencies.
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
              message: 'Import types only; use the implementations in Deps.',
            },
          ],
        },
      ],
    },
  },
  {
    files: ['src/domain/**/*.ts'],
    rules: {
      'no-restricted-globals': [
        'error',
        ...impure.map((name) => ({name, message: 'src/domain must be pure: no I/O, environment or clock.'})),
      ],
      'no-restricted-properties': [
        'error',
        {object: 'Date', property: 'now', message: 'Pass the time as an argument.'},
        {object: 'Math', property: 'random', message: 'Pass randomness as an argument.'},
      ],
      '@typescript-eslint/no-restricted-imports': [
        'error',
        {
          paths: [
            {
              name: 'node:crypto',
              importNames: ['randomBytes', 'randomInt', 'randomUUID', 'generateKeyPair', 'generateKeyPairSync'],
              message: 'Pass randomness as an argument: src/signers/keys.ts generates keys.',
            },
          ],
        },
      ],
    },
  },
  {
    // Sensitive values may be revealed only in effects, signers, the work directory, the private key parsers, and where an API
    // server judges a token.
    files: ['src/**/*.ts'],
    ignores: [
      'src/engine/**',
      'src/signers/**',
      'src/workspace/**',
      'src/tools/kubectl/tokens.ts',
      'src/domain/keys/private-key.ts',
      'src/domain/keys/embedded-keys.ts',
      'src/domain/x509/recognize.ts',
    ],
    rules: {'no-restricted-syntax': ['error', revealing, ...commandInHint]},
  },
  {
    // Clusters are read only by the table of requests (src/domain/facts/requests.ts).
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
