/** `npm run test:versions`: which programs it accepts, and that what was not tested does not pass. */
import {chmodSync, mkdirSync, mkdtempSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {beforeEach, describe, expect, it} from 'vitest';
import type {StepResult} from '../../scripts/versions/steps.js';
import {isPassed, tableText} from '../../scripts/versions/table.js';
import type {ControlPlanes} from '../e2e/harness/control-planes.js';
import {readReleases, withReleases} from '../e2e/harness/istio-releases.js';

const deployment = (tag: string): string => `apiVersion: v1
kind: Service
metadata: {name: istiod}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: istiod}
spec: {template: {spec: {containers: [{name: discovery, image: "docker.io/istio/pilot:${tag}"}]}}}
`;
const help = ['httpAddr', 'httpsAddr', 'grpcAddr', 'secureGrpcAddr', 'monitoringAddr', 'ctrlz_address', 'ctrlz_port']
  .map((flag) => `      --${flag} string   Address`)
  .join('\n');

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'releases-'));
});

/** A program that prints this for the first word of its command line. */
function program(release: string, name: string, answers: Readonly<Record<string, string>>): void {
  mkdirSync(join(folder, release), {recursive: true});
  const cases = Object.entries(answers).map(([word, text]) => `${word}) cat <<'END'\n${text}\nEND\n;;`);
  const path = join(folder, release, name);
  writeFileSync(path, `#!/bin/sh\ncase $1 in\n${cases.join('\n')}\n*) exit 64;;\nesac\n`);
  chmodSync(path, 0o755);
}

const reports = (version: string): string => JSON.stringify({clientVersion: {version}});
const istioctl = (release: string, version: string, tag = version): void => {
  program(release, 'istioctl', {version: reports(version), manifest: deployment(tag)});
};
const istiod = (release: string, version: string): void => {
  program(release, 'pilot-discovery', {version: reports(version), discovery: help});
};
const both = (release: string, version: string, tag = version): void => {
  istioctl(release, version, tag);
  istiod(release, version);
};

/** An executable that this machine cannot run: the header of an ELF file for a machine type that does not exist. */
function foreignProgram(release: string, name: string, machine: number): void {
  const header = Buffer.alloc(64);
  header.write('\x7fELF', 'latin1');
  header[18] = machine;
  writeFileSync(join(folder, release, name), header, {mode: 0o755});
}

describe('a folder of releases', () => {
  it('is read by running the programs, and sorted by version', async () => {
    both('newest', '1.10.6');
    both('b', '1.9.9', '1.9.9-distroless');
    const releases = await readReleases(folder);
    expect(releases.map(({version, tag}) => [version, tag])).toEqual([
      ['1.9.9', '1.9.9-distroless'],
      ['1.10.6', '1.10.6'],
    ]);
  });

  it.each<[string, () => void, RegExp]>([
    ['is empty', () => undefined, /^no Istio release in /],
    [
      'lacks istiod',
      () => {
        istioctl('a', '1.30.3');
      },
      /\/a\/pilot-discovery not found$/,
    ],
    [
      'lacks istioctl',
      () => {
        istiod('a', '1.30.3');
      },
      /\/a\/istioctl not found$/,
    ],
    [
      'has programs of two versions in one release',
      () => {
        istioctl('a', '1.30.3');
        istiod('a', '1.30.2');
      },
      /istioctl is 1\.30\.3, but pilot-discovery is 1\.30\.2$/,
    ],
    [
      'has one version twice',
      () => {
        both('a', '1.30.3');
        both('b', '1.30.3');
      },
      /\/a and .*\/b have the same version: 1\.30\.3$/,
    ],
    [
      'has releases that install one image',
      () => {
        both('a', '1.30.3', 'latest');
        both('b', '1.30.4', 'latest');
      },
      /have the same tag: latest$/,
    ],
    [
      'has a build without a version',
      () => {
        both('a', 'unknown');
      },
      /reports version "unknown", which is not a release$/,
    ],
    [
      'has istioctl under the name of istiod',
      () => {
        istioctl('a', '1.30.3');
        program('a', 'pilot-discovery', {version: reports('1.30.3')});
      },
      /\/a\/pilot-discovery is not an istiod/,
    ],
    [
      'has a program that is not Istio',
      () => {
        both('a', '1.30.3');
        program('a', 'istioctl', {version: 'v18.2'});
      },
      /\/a\/istioctl does not report a version/,
    ],
    [
      'has a program for another machine',
      () => {
        both('a', '1.30.3');
        foreignProgram('a', 'istioctl', process.arch === 'arm64' ? 0x3e : 0xb7);
      },
      /\/a\/istioctl.* it is built for linux\/(?:arm64|x64), and this machine is /,
    ],
    [
      'has a program that may not be executed',
      () => {
        both('a', '1.30.3');
        chmodSync(join(folder, 'a', 'istioctl'), 0o644);
      },
      /^cannot run .*\/a\/istioctl: .*EACCES/,
    ],
  ])('is an error that names the file if it %s', async (_, make, message) => {
    make();
    await expect(readReleases(folder)).rejects.toThrow(message);
  });

  it('is an error if it does not exist', async () => {
    await expect(readReleases(join(folder, 'none'))).rejects.toThrow('is not a directory');
  });

  it('plays a pod with the istiod of its image, and no pod with an image of none', async () => {
    both('a', '1.30.3');
    both('b', '1.31.0');
    const [older, newer] = await readReleases(folder);
    if (!older || !newer) throw new Error('two releases');
    const built: ControlPlanes = {
      cache: '',
      istioModule: '',
      path: (name) => `/built/${name}`,
      istiod: () => undefined,
      stages: [],
    };
    const planes = withReleases(built, newer, [older, newer]);
    expect(planes.istiod('registry:5000/istio/pilot:1.30.3@sha256:00')).toBe(join(folder, 'a', 'pilot-discovery'));
    expect(planes.istiod('istio/pilot:1.29.0')).toBeUndefined();
    expect([planes.path('istioctl'), planes.path('pilot-agent'), planes.path('etcd')]).toEqual([
      join(folder, 'b', 'istioctl'),
      '/built/pilot-agent',
      '/built/etcd',
    ]);
  });
});

describe('the results', () => {
  const step = (version: string, result: StepResult['result']): StepResult => {
    return {version, step: 'install', result, seconds: 3, note: 'one line\nand more'};
  };

  it.each<[string, readonly StepResult[], boolean]>([
    ['nothing was tested', [], false],
    ['all passed', [step('1.30.3', 'passed'), step('1.31.0', 'passed')], true],
    ['a step failed', [step('1.30.3', 'passed'), step('1.30.3', 'failed')], false],
    ['a step was skipped', [step('1.30.3', 'passed'), step('1.30.3', 'skipped')], true],
    ['a release was skipped', [step('1.30.3', 'passed'), step('1.31.0', 'skipped')], false],
  ])('when %s', (_, results, passed) => {
    expect(isPassed(results)).toBe(passed);
  });

  it('are a line each, and the totals', () => {
    const lines = tableText([step('1.30.3', 'passed'), step('1.31.0', 'skipped')]).split('\n');
    expect(lines).toHaveLength(5);
    expect(lines[1]).toMatch(/^1\.30\.3 +install +passed +3 +one line$/);
    expect(lines[2]).toMatch(/^1\.31\.0 +install +skipped +one line$/);
    expect(lines[4]).toBe('1 passed, 0 failed, 1 skipped');
  });
});
