import {describe, expect, it} from 'vitest';
import {parseAllDocuments} from 'yaml';
import {renewalJob, renewalJobText, type RenewalJobOptions} from '../../../src/domain/discovery/renewal-job.js';
import {renewalSchedule} from '../../../src/domain/discovery/renewal-schedule.js';

const hour = 3_600_000;
const day = 24 * hour;

describe('the schedule of the renewal', () => {
  it.each([
    [90 * day, '17 3 * * 1'],
    [70 * day, '17 3 * * 1'],
    [69 * day, '17 3 * * *'],
    [30 * day, '17 3 * * *'],
    [7 * day, '17 3,15 * * *'],
    [2 * day, '17 */2 * * *'],
    [day, '17 */2 * * *'],
    [12 * hour, '17 * * * *'],
    [10 * hour, '17 * * * *'],
    [9 * hour, undefined],
    [hour, undefined],
  ])('leaves time for three runs before tokens of %d ms expire', (lifetime, schedule) => {
    expect(renewalSchedule(lifetime, 0.3)).toBe(schedule);
  });
});

interface Job {
  readonly metadata: {readonly namespace?: string};
  readonly spec: {
    readonly concurrencyPolicy: string;
    readonly jobTemplate: {readonly spec: {readonly template: {readonly spec: Pod}}};
  };
}
interface Pod {
  readonly automountServiceAccountToken: boolean;
  readonly securityContext: object;
  readonly containers: readonly {
    readonly image: string;
    readonly args: readonly string[];
    readonly securityContext: object;
    readonly volumeMounts: readonly {readonly name: string; readonly mountPath: string; readonly readOnly: boolean}[];
  }[];
  readonly volumes: readonly Record<string, object>[];
}

const options: RenewalJobOptions = {
  image: 'registry.example.com/kubectl-mesh:1',
  schedule: '17 3 * * 1',
  acceptShortTokens: false,
  files: ['mesh.yaml', 'contexts.yaml'],
};
const podOf = (given: Partial<RenewalJobOptions> = {}): Pod =>
  (renewalJob({...options, ...given}) as Job).spec.jobTemplate.spec.template.spec;

describe('the CronJob that renews tokens', () => {
  it('meets the restricted Pod Security Standard, without a service account token', () => {
    const pod = podOf();
    expect(pod.automountServiceAccountToken).toBe(false);
    expect(pod.securityContext).toMatchObject({runAsNonRoot: true, seccompProfile: {type: 'RuntimeDefault'}});
    expect(pod.containers.map(({securityContext}) => securityContext)).toEqual([
      {allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: {drop: ['ALL']}},
    ]);
  });

  it('mounts everything read-only but the temporary directory, and no host path', () => {
    const {containers, volumes} = podOf();
    const writable = containers.flatMap(({volumeMounts}) => volumeMounts.filter(({readOnly}) => !readOnly));
    expect(writable.map(({name}) => name)).toEqual(['temporary']);
    expect(volumes.map((volume) => Object.keys(volume).filter((key) => key !== 'name'))).toEqual([
      ['configMap'],
      ['secret'],
      ['emptyDir'],
    ]);
    const mounted = containers.flatMap(({volumeMounts}) => volumeMounts.map(({name}) => name));
    expect(volumes.map(({name}) => name)).toEqual(mounted);
  });

  it('never confirms anything: it renews, and replaces nothing', () => {
    const args = podOf().containers.flatMap((container) => container.args);
    expect(args.slice(0, 1)).toEqual(['link']);
    expect(args).toEqual(expect.arrayContaining(['--journal', '-', '--keep-going']));
    expect(args.filter((word) => ['--yes', '-y', '--restart-istiod', '--accept-short-tokens'].includes(word))).toEqual(
      [],
    );
    expect(podOf({acceptShortTokens: true}).containers[0]?.args).toContain('--accept-short-tokens');
  });

  it('never runs twice at the same time', () => {
    expect((renewalJob(options) as Job).spec.concurrencyPolicy).toBe('Forbid');
  });

  it('is YAML, and in the given namespace only', () => {
    const documents = parseAllDocuments(renewalJobText({...options, namespace: 'mesh-jobs'})).map(
      (document) => document.toJS() as Job,
    );
    expect(documents).toEqual([renewalJob({...options, namespace: 'mesh-jobs'})]);
    expect(documents[0]?.metadata.namespace).toBe('mesh-jobs');
    expect((renewalJob(options) as Job).metadata).not.toHaveProperty('namespace');
  });

  it('has comments with the commands that create what it reads', () => {
    const comments = renewalJobText({...options, namespace: 'mesh-jobs'})
      .split('\n')
      .filter((line) => line.startsWith('#'))
      .join('\n');
    const pod = podOf();
    const names = pod.volumes.flatMap(({configMap, secret}): readonly unknown[] =>
      Object.values(configMap ?? secret ?? {}),
    );
    for (const name of names.filter((one) => typeof one === 'string')) {
      expect(comments).toContain(`-n mesh-jobs ${name} `);
    }
    expect(comments).toContain('--from-file=mesh.yaml --from-file=contexts.yaml');
  });
});
