/** link --renew-only, as the CronJob runs it: it renews tokens that are due, and does nothing else. */
import {appendFile, readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import AccessRole from '../../src/commands/access/role.js';
import Link from '../../src/commands/link.js';
import Unlink from '../../src/commands/unlink.js';
import type {AccessManifest} from '../../src/domain/access/role-manifests.js';
import type {LinkResult} from '../../src/operations/discovery/report-link.js';
import type {RenewalResult} from '../../src/operations/discovery/renewal.js';
import {linkMesh, type LinkMesh} from '../helpers/link-mesh.js';
import {tokenOf} from '../helpers/fake-kubectl/tokens.js';
import {answerOf, runCommand} from '../helpers/run-command.js';

let mesh: LinkMesh;
beforeEach(async () => {
  mesh = await linkMesh(['c1', 'c2', 'c3']);
  expect((await runCommand(Link, [], mesh.env)).code).toBe(0);
});
afterEach(() => mesh.stop());

async function renew(...argv: string[]): Promise<{code: number; result: LinkResult}> {
  const run = await runCommand(Link, ['--renew-only', '--keep-going', ...argv, '-o', 'json'], mesh.env);
  return {code: run.code, result: answerOf(run) as LinkResult};
}

const tokenIn = (reader: string, peer: string): string => mesh.kubeconfig(reader, peer).users[0]?.user.token ?? '';

/** What each pair needed: `c1 c2: renew done`. */
const pairs = ({clusters}: LinkResult): readonly string[] =>
  clusters.flatMap(({name, peers}) =>
    peers.flatMap(({peer, plan, outcome, finding}) =>
      plan === 'unchanged'
        ? []
        : [`${name} ${peer}: ${finding === undefined ? `${plan ?? ''} ${outcome}` : 'finding'}`],
    ),
  );

const secretsOf = (name: string): readonly string[] =>
  mesh
    .cluster(name)
    .all('Secret')
    .map(({metadata}) => metadata.name)
    .sort();

/** Gives c1 a token for c2 that expires tomorrow. */
function letExpire(): void {
  const [reader, peer] = [mesh.cluster('c1'), mesh.cluster('c2')];
  const day = 86_400;
  const now = Math.floor(Date.now() / 1000);
  const {name, uid} = peer.get('Secret', 'istio-system/kubectl-mesh-reader-c1')?.metadata ?? {};
  const token = tokenOf({
    iss: peer.uid,
    sub: 'system:serviceaccount:istio-system:istio-reader-service-account',
    iat: now - 89 * day,
    exp: now + day,
    'kubernetes.io': {secret: {name, uid}},
  });
  const before = reader.get('Secret', 'istio-system/istio-remote-secret-c2');
  if (!before) throw new Error('not linked');
  const text = reader.secretText('istio-system/istio-remote-secret-c2').c2 ?? '';
  const data = {c2: Buffer.from(text.replace(/token: .*/, `token: ${token}`)).toString('base64')};
  reader.put({...before, data});
}

describe('link --renew-only', () => {
  it('renews a token that is due although another pair would be replaced, and needs no confirmation', async () => {
    letExpire();
    const before = tokenIn('c1', 'c2');
    await appendFile(join(mesh.dir, 'mesh.yaml'), '    apiServer: {url: https://another.example:6443}\n');
    const other = tokenIn('c1', 'c3');
    const {code, result} = await renew();
    expect(code).toBe(3);
    expect(pairs(result)).toEqual(['c1 c2: renew done', 'c1 c3: finding', 'c2 c3: finding']);
    expect(tokenIn('c1', 'c2')).not.toBe(before);
    expect(tokenIn('c1', 'c3')).toBe(other);
  });

  it('does not link again what was unlinked, and reports it', async () => {
    expect((await runCommand(Unlink, ['c3', '--yes'], mesh.env)).code).toBe(0);
    const before = ['c1', 'c2', 'c3'].map(secretsOf);
    const {code, result} = await renew();
    expect(code).toBe(3);
    expect(pairs(result)).toEqual(['c1 c3: finding', 'c2 c3: finding', 'c3 c1: finding', 'c3 c2: finding']);
    expect(['c1', 'c2', 'c3'].map(secretsOf)).toEqual(before);
    expect(JSON.stringify(result.warnings)).toContain('kubectl mesh link c1 c2 c3');
  });

  it('does not restore access that was ended by deleting the reader Secret', async () => {
    mesh.cluster('c2').remove('Secret', 'istio-system/kubectl-mesh-reader-c1');
    const {code, result} = await renew();
    expect([code, pairs(result)]).toEqual([3, ['c1 c2: finding']]);
    expect(secretsOf('c2')).not.toContain('kubectl-mesh-reader-c1');
  });

  it('deletes no reader Secret of the other kind, whether a token is due or not', async () => {
    letExpire();
    const names = ['c1', 'c3'].map((reader) => `kubectl-mesh-token-${reader}`);
    for (const name of names) {
      const metadata = {name, namespace: 'istio-system'};
      mesh.cluster('c2').put({apiVersion: 'v1', kind: 'Secret', type: 'Opaque', metadata});
    }
    const {code, result} = await renew();
    expect([code, pairs(result)]).toEqual([0, ['c1 c2: renew done']]);
    expect(secretsOf('c2')).toEqual(expect.arrayContaining(names));
    expect((await runCommand(Link, [], mesh.env)).code).toBe(0);
    expect(secretsOf('c2')).not.toEqual(expect.arrayContaining(names));
  });

  it('succeeds and writes nothing if nothing is due', async () => {
    const before = mesh.cluster('c1').requests.filter(({method}) => method === 'PUT').length;
    const {code, result} = await renew();
    expect([code, pairs(result)]).toEqual([0, []]);
    expect(mesh.cluster('c1').requests.filter(({method}) => method === 'PUT')).toHaveLength(before);
  });

  it('sends only requests that the renewer role allows, and needs each of its rights for changes', async () => {
    letExpire();
    for (const name of ['c1', 'c2', 'c3']) mesh.cluster(name).requests.splice(0);
    expect((await renew()).code).toBe(0);
    const {stdout} = await runCommand(AccessRole, ['--role', 'renewer', '-o', 'json'], mesh.env);
    const {items} = JSON.parse(stdout) as {items: readonly AccessManifest[]};
    const rules = items.flatMap(({rules: own = []}) => own);
    const requests = ['c1', 'c2', 'c3'].flatMap((name) => mesh.cluster(name).requests);
    const sent = requests
      // Every authenticated user may send these (kubernetes.io: reference/access-authn-authz/rbac, "API discovery roles").
      .filter(({resource}) => !['/version', 'selfsubjectreviews'].includes(resource))
      .map(({verb, resource, name, url}) => ({
        verb,
        resource: /\/serviceaccounts\/[^/]+\/token/.test(url) ? `${resource}/token` : resource,
        name,
      }));
    const refused = sent.filter(
      ({verb, resource, name}) =>
        !rules.some(
          (rule) =>
            rule.verbs.includes(verb) &&
            rule.resources.includes(resource) &&
            (rule.resourceNames === undefined || rule.resourceNames.includes(name ?? '')),
        ),
    );
    expect(refused).toEqual([]);
    const changing = rules.flatMap(({verbs, resources}) =>
      verbs.flatMap((verb) => (['get', 'list'].includes(verb) ? [] : resources.map((one) => `${verb} ${one}`))),
    );
    expect(changing.sort()).toEqual([
      'create pods/portforward',
      'create serviceaccounts/token',
      'create tokenreviews',
      'update secrets',
    ]);
    expect(rules.some(({resourceNames = []}) => resourceNames.includes('cacerts'))).toBe(false);
  });

  it('is what the CronJob runs, with the role that its comments name', async () => {
    const run = await runCommand(Link, ['--cron-manifest', '--image', 'x', '-o', 'json'], mesh.env);
    const {manifest, yaml} = answerOf(run) as RenewalResult;
    expect(JSON.stringify(manifest)).toContain('"link","--renew-only"');
    expect(yaml).toContain('access role --role renewer');
  });
});

describe('the renewer role', () => {
  it('is refused where there is nothing to renew, and with --access', async () => {
    expect((await runCommand(AccessRole, ['--role', 'renewer', '--access'], mesh.env)).code).toBe(2);
    const file = join(mesh.dir, 'mesh.yaml');
    await writeFile(file, (await readFile(file, 'utf8')).replace(/ {2}- name: c2\n[^]*/, ''));
    expect((await runCommand(AccessRole, ['--role', 'renewer'], mesh.env)).code).toBe(2);
  });
});
