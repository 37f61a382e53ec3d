/** CAs in the work directory that expire, and how a CA gets into the files and the cluster. */
import {randomBytes} from 'node:crypto';
import {tinyClusterCa, tinyRoot, type TinyCa, type TinyOptions} from '../../helpers/tiny-ca.js';
import {meshRoot, putCa} from '../harness/cas.js';
import type {Fault} from '../harness/fault.js';
import type {Lab} from '../harness/lab.js';

const dayMs = 86_400_000;

/** A CA for a cluster under the mesh's root, in the cluster's directory. */
export async function putClusterCa(
  lab: Lab,
  cluster: string,
  options: TinyOptions,
  subject = cluster,
): Promise<TinyCa> {
  const root = meshRoot(lab);
  const ca = await tinyClusterCa(root, subject, options);
  putCa(lab, cluster, ca, [root]);
  return ca;
}

/** Only in the files: the cluster still has its good CA. */
export function onDisk(cluster: string, options: TinyOptions): Fault['seed'] {
  return async (lab) => {
    await putClusterCa(lab, cluster, options);
    return undefined;
  };
}

/** In the files and in the cluster, as it is when time has passed. */
export function everywhere(cluster: string, options: TinyOptions): Fault['seed'] {
  return async (lab) => {
    await putClusterCa(lab, cluster, options);
    await lab.cli.must('trust', 'push', cluster, '--restart-istiod', '--yes');
    await lab.waitForChain(cluster);
    return undefined;
  };
}

export const expiryFaults: readonly Fault[] = [
  {
    id: 'MESH108-five-days',
    title: 'a cluster CA expires in five days',
    cluster: 'one',
    says: /./,
    seed: everywhere('one', {days: 5}),
    fix: 'as printed',
  },
  {
    id: 'MESH108-twenty-days',
    title: 'a cluster CA expires in twenty days',
    cluster: 'one',
    result: 'warning',
    says: /./,
    seed: everywhere('one', {days: 20}),
    fix: 'as printed',
  },
  {
    id: 'MESH103-expired',
    title: 'a cluster CA on disk has expired',
    cluster: 'two',
    says: /expired/,
    seed: onDisk('two', {
      change: (template) => ({
        ...template,
        notBefore: new Date(Date.now() - 30 * dayMs),
        notAfter: new Date(Date.now() - dayMs),
      }),
    }),
    fix: 'as printed',
  },
  {
    id: 'MESH103-leftover-root',
    title: 'a root that has expired since a rotation is still in every bundle',
    cluster: 'one',
    also: ['two'],
    result: 'warning',
    says: /still contains the root/,
    seed: async (lab) => {
      const old = await tinyRoot({now: new Date(Date.now() - 100 * dayMs), days: 30, meshID: 'old'});
      for (const file of ['root-cert.pem', 'one/root-cert.pem', 'two/root-cert.pem']) {
        lab.edit(file, (text) => text + old.certificate.pem);
      }
      await lab.cli.must('trust', 'push', '--restart-istiod', '--yes');
      return undefined;
    },
    fix: 'as printed',
  },
  {
    id: 'MESH109-outlives',
    title: 'a cluster CA is valid for a year longer than its root',
    cluster: 'one',
    result: 'warning',
    says: /its root until/,
    seed: async (lab) => {
      const {certificate} = meshRoot(lab);
      const notAfter = new Date(certificate.notAfter.getTime() + 365 * dayMs);
      return everywhere('one', {change: (template) => ({...template, notAfter, serial: randomBytes(16)})})(lab);
    },
    fix: 'as printed',
  },
];
