/** What the build of the control planes says when it cannot be done: one line, and never a silent pass. */
import {mkdtempSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {afterEach, beforeAll, beforeEach, describe, expect, it} from 'vitest';
import {builtVersions, controlPlanes} from './harness/control-planes.js';
import {output, run, type Ran} from './harness/processes.js';

const script = fileURLToPath(new URL('harness/build-control-planes.ts', import.meta.url));
let directory: string;

// The first build takes longer than a test may.
beforeAll(async () => {
  await controlPlanes();
});
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'planes-'));
  mkdirSync(join(directory, 'bin'));
});
afterEach(() => {
  rmSync(directory, {recursive: true});
});

/** Builds into an empty cache, with nothing on PATH but Node and what the test put into bin/. */
function build(): Promise<Ran> {
  symlinkSync(process.execPath, join(directory, 'bin', 'node'));
  const env = {...process.env, PATH: join(directory, 'bin'), XDG_CACHE_HOME: join(directory, 'cache')};
  return run(process.execPath, ['--import', 'tsx', script], {env});
}

function fakeGo(text: string): void {
  writeFileSync(join(directory, 'bin', 'go'), `#!/bin/sh\n${text}\n`, {mode: 0o755});
}

describe('npm run control-planes', () => {
  it('names Go and the version it needs when there is none', async () => {
    const ran = await build();
    expect(ran.code).toBe(1);
    expect(ran.stderr).toMatch(/^control planes: .*Go 1\.\d+\S* or later.*\n$/);
  });

  it('refuses a Go that is too old', async () => {
    fakeGo('echo go1.20.3');
    const ran = await build();
    expect(ran.code).toBe(1);
    expect(ran.stderr).toContain('this is go1.20.3');
  });

  it('fails when a program does not build, and leaves nothing that looks built', async () => {
    fakeGo('case $1 in env) echo go1.99.0;; *) echo broken >&2; exit 1;; esac');
    const ran = await build();
    expect(ran.code).toBe(1);
    expect(ran.stderr).toContain('broken');
    expect(readdirSync(join(directory, 'cache', 'kubectl-mesh', 'control-planes'))).toEqual([]);
  });

  it('stamps the versions that istioctl and the API server report', async () => {
    const planes = await controlPlanes();
    expect(await output(planes.path('kube-apiserver'), ['--version'])).toBe(`Kubernetes v${builtVersions.kubernetes}`);
    expect(await output(planes.path('istioctl'), ['version', '--remote=false', '--short'])).toContain(
      builtVersions.istio,
    );
    expect(dirname(dirname(planes.path('etcd')))).toBe(planes.cache);
  });
});
