import {copyFileSync, mkdirSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import type {ControlPlanes} from '../../e2e/harness/control-planes.js';
import {istioSource} from '../../e2e/harness/istio-source.js';
import {at, type Setting} from '../../e2e/harness/mesh.js';
import {HarnessError, run} from '../../e2e/harness/processes.js';
import {installByGuide, linkByGuide, type SecretData} from './by-guide.js';
import type {Mesh} from './mesh.js';

const files = ['ca-cert.pem', 'ca-key.pem', 'root-cert.pem', 'cert-chain.pem'];

/** Istio's own tools/certs, of the version that runs here. */
async function copyMakefiles(planes: ControlPlanes, folder: string): Promise<void> {
  const source = await istioSource(planes);
  mkdirSync(folder);
  for (const file of ['Makefile.selfsigned.mk', 'common.mk']) {
    copyFileSync(join(source, 'tools', 'certs', file), join(folder, file));
  }
}

/** Makes a root and a CA for each cluster in `folder`, as the guide says; the four files of each, by cluster. */
export async function makeCas(
  {sandbox, clusters}: Pick<Setting, 'sandbox' | 'clusters'>,
  folder: string,
): Promise<ReadonlyMap<string, SecretData>> {
  const names = clusters.map(({name}) => name);
  const tools = join(sandbox.dir, 'certs');
  await copyMakefiles(at(clusters, 0).planes, tools);
  for (const target of ['root-ca', ...names.map((name) => `${name}-cacerts`)]) {
    const made = await run('make', ['-f', join(tools, 'Makefile.selfsigned.mk'), target], {cwd: folder});
    if (made.code !== 0) throw new HarnessError(`make ${target} failed:\n${made.stdout}${made.stderr}`);
  }
  const read = (cluster: string): SecretData =>
    Object.fromEntries(files.map((file) => [file, readFileSync(join(folder, cluster, file), 'utf8')]));
  return new Map(names.map((name) => [name, read(name)]));
}

/** The guide's page as it stands, typed by hand; we come later. */
export const makefile: Mesh = {
  id: 'healthy-makefile',
  title: "two primaries by Istio's guide: Makefile, kubectl and istioctl, then `kubectl mesh init`",
  clusters: [{name: 'one'}, {name: 'two'}],
  build: async ({sandbox, clusters, cli}) => {
    const cas = await makeCas({sandbox, clusters}, cli.workDir);
    for (const cluster of clusters) {
      await installByGuide(cluster, {meshID: 'mesh1', network: 'network1'}, cas.get(cluster.name) ?? {});
    }
    await linkByGuide(clusters);
    await cli.must('init', ...clusters.map(({name, context}) => `${name}=${context}`));
  },
  trueWarnings: {
    MESH106: 'make leaves directories with CA keys open to everybody (0755)',
    MESH107: 'the Makefile leaves the root key unencrypted beside the certificates',
  },
};
