import {describe, expect, it} from 'vitest';
import {renderHint, renderSuggestion} from '../../../src/cli/suggest/render.js';
import {typedTarget} from '../../../src/cli/suggest/typed-target.js';
import {
  advice,
  edit,
  filePath,
  fixWith,
  forEach,
  ifExists,
  runAll,
  inWorkDir,
  kubectlMesh,
  inspectWith,
  OutputOf,
  pipe,
  script,
  sequence,
  type Suggestion,
  Variable,
  words,
  writeTo,
} from '../../../src/domain/suggest/suggestion.js';

const typed = {
  workDir: '/w d',
  directory: '/w d',
  kubeconfig: 'k',
  context: 'x',
  istioNamespace: 'i',
  as: 'u',
  asGroups: ['g', 'h i'],
};
const user = "--as u --as-group g --as-group 'h i'";
const c1 = {context: 'kind c1'};

describe('a suggestion', () => {
  it.each<[Suggestion, string, string]>([
    [
      kubectlMesh('trust push', ['c1', '--yes']),
      'kubectl mesh trust push c1 --yes',
      `kubectl mesh trust push c1 --yes -w '/w d' --kubeconfig k --context x -n i ${user}`,
    ],
    [
      kubectlMesh('certs import', ['c 1', 'FILE...']),
      "kubectl mesh certs import 'c 1' FILE...",
      "kubectl mesh certs import 'c 1' FILE... -w '/w d'",
    ],
    // The command has neither --kubeconfig nor --as.
    [
      kubectlMesh('install render', ['c1']),
      'kubectl mesh install render c1',
      "kubectl mesh install render c1 -w '/w d' --context x -n i",
    ],
    [
      inspectWith.kubectl(c1, words`get pod ${'x;y'}`),
      "kubectl --context 'kind c1' get pod 'x;y'",
      `kubectl --kubeconfig k ${user} --context 'kind c1' get pod 'x;y'`,
    ],
    [
      inspectWith.kubectl('any', words`auth can-i list pods --context c`),
      'kubectl auth can-i list pods --context c',
      `kubectl --kubeconfig k ${user} auth can-i list pods --context c`,
    ],
    [
      inspectWith.kubectl({}, ['version']),
      'kubectl --context CONTEXT version',
      `kubectl --kubeconfig k ${user} --context CONTEXT version`,
    ],
    [
      fixWith.istioctl(c1, words`install -y -f -`),
      "istioctl --context 'kind c1' install -y -f -",
      `istioctl --kubeconfig k ${user} --context 'kind c1' install -y -f -`,
    ],
    [
      fixWith.cmctl(c1, words`renew ca`),
      "cmctl --context 'kind c1' renew ca",
      `cmctl --kubeconfig k ${user} --context 'kind c1' renew ca`,
    ],
    [
      fixWith.run('chmod', ['600', inWorkDir('c1/ca-key.pem')]),
      'chmod 600 c1/ca-key.pem',
      "chmod 600 '/w d/c1/ca-key.pem'",
    ],
    [inspectWith.run('git', words`-C ${inWorkDir('.')} log`), 'git -C . log', "git -C '/w d/.' log"],
    [fixWith.run('rm', [inWorkDir('-rf')]), 'rm ./-rf', "rm '/w d/-rf'"],
    [fixWith.run('rm', [filePath('-rf')]), 'rm ./-rf', 'rm ./-rf'],
    [
      inspectWith.run('ls', ['-l', inWorkDir('a\u001bb\nc')]),
      `ls -l "$(printf -- 'a\\033b\\012c')"`,
      `ls -l "$(printf -- '/w d/a\\033b\\012c')"`,
    ],
    [fixWith.run('openssl', ['-in', "it's"]), `openssl -in 'it'\\''s'`, `openssl -in 'it'\\''s'`],
    [edit(inWorkDir('mesh.yaml')), '${EDITOR:-vi} mesh.yaml', "${EDITOR:-vi} '/w d/mesh.yaml'"],
    [inspectWith.run(new Variable('ISTIO', '/bin/x y'), ['a']), `"$ISTIO"'/bin/x y' a`, `"$ISTIO"'/bin/x y' a`],
    [
      sequence(edit(inWorkDir('a')), kubectlMesh('certs list')),
      '${EDITOR:-vi} a && kubectl mesh certs list',
      "${EDITOR:-vi} '/w d/a' && kubectl mesh certs list -w '/w d'",
    ],
    [runAll(inspectWith.run('a', []), inspectWith.run('b', [])), 'a; b', 'a; b'],
    [
      pipe(inspectWith.run('a', []), inspectWith.run('grep', ['-e', 'x y']), inspectWith.run('c', [])),
      "a | grep -e 'x y' | c",
      "a | grep -e 'x y' | c",
    ],
    [writeTo(inWorkDir('f'), inspectWith.run(':', [])), ': > f', ": > '/w d/f'"],
    [
      ifExists(inWorkDir('f'), fixWith.run('mv', [inWorkDir('f'), inWorkDir('g')])),
      '{ [ ! -e f ] || mv f g; }',
      "{ [ ! -e '/w d/f' ] || mv '/w d/f' '/w d/g'; }",
    ],
    [
      forEach(new Variable('namespace'), ['a', 'b;c'], (namespace) =>
        fixWith.kubectl(c1, words`-n ${namespace} delete pods`),
      ),
      `for namespace in a 'b;c'; do kubectl --context 'kind c1' -n "$namespace" delete pods; done`,
      `for namespace in a 'b;c'; do kubectl --kubeconfig k ${user} --context 'kind c1' -n "$namespace" delete pods; done`,
    ],
    [
      kubectlMesh('init', [new OutputOf(inspectWith.run('echo', ['a b']))]),
      "kubectl mesh init $(echo 'a b')",
      "kubectl mesh init $(echo 'a b') -w '/w d'",
    ],
    [
      script('inspect')`case "$x" in ${'a b'}) ${inspectWith.run('echo', ['c d'])};; ${['e', 'f g']} esac`,
      `case "$x" in 'a b') echo 'c d';; e 'f g' esac`,
      `case "$x" in 'a b') echo 'c d';; e 'f g' esac`,
    ],
  ])('of %j', (suggestion, plain, withFlags) => {
    expect(renderSuggestion(suggestion, {})).toBe(plain);
    expect(renderSuggestion(suggestion, typed)).toBe(withFlags);
  });
});

describe('a hint', () => {
  it('is printed verbatim if it is text', () => {
    expect(renderHint('kubectl mesh trust push c1', typed)).toBe('kubectl mesh trust push c1');
  });

  it('contains its commands with the flags of the run, at any position', () => {
    const hint = advice`if ${'c1'} moved: ${kubectlMesh('certs list')}, or ${kubectlMesh('init', ['c1=CONTEXT'])} adds it`;
    expect(renderHint(hint, {workDir: 'w'})).toBe(
      'if c1 moved: kubectl mesh certs list -w w, or kubectl mesh init c1=CONTEXT -w w adds it',
    );
  });
});

describe('the flags of a run', () => {
  it('are repeated as typed, except those that the environment sets', () => {
    expect(typedTarget({'work-dir': '.'}, {})).toEqual({});
    expect(typedTarget({'work-dir': '/w'}, {WORK_DIR: '/w'})).toEqual({directory: '/w'});
    expect(typedTarget({'work-dir': '/w', as: 'u', 'as-group': ['g']}, {})).toEqual({
      directory: '/w',
      workDir: '/w',
      as: 'u',
      asGroups: ['g'],
    });
  });
});
