import {afterEach, beforeEach, describe, expect, it, vi} from 'vitest';
import {MeshError} from '../../../src/domain/errors.js';
import type {KubeObject} from '../../../src/domain/kube/object.js';
import {unreachable} from '../../../src/domain/kube/status.js';
import {writeAndVerify} from '../../../src/engine/effects/verified-write.js';
import type {KubeApi} from '../../../src/tools/kubectl/api.js';

const ref = {apiVersion: 'v1', kind: 'Secret', namespace: 'istio-system', name: 'cacerts'};
const written: KubeObject = {...ref, metadata: {name: 'cacerts', namespace: 'istio-system', resourceVersion: '2'}};

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A failed write whose object appears at the given read, or never. Returns the outcome and the number of reads. */
async function failedWrite(error: MeshError, showsAt: number): Promise<{came: unknown; looks: number}> {
  let looks = 0;
  const find = (): Promise<KubeObject | undefined> => Promise.resolve(++looks >= showsAt ? written : undefined);
  const settled = writeAndVerify(
    {
      api: {find} as unknown as KubeApi,
      ref,
      dryRun: 'none',
      judge: (now) => (now ? 'written' : 'not-written'),
    },
    () => Promise.reject(error),
  ).catch((thrown: unknown) => (thrown as MeshError).code);
  await vi.runAllTimersAsync();
  return {came: await settled, looks};
}

describe('a write without a successful response', () => {
  const timedOut = unreachable('ctx', 'no response within 30 s');
  const internal = new MeshError('API_ERROR', 'HTTP 504, timeout');

  it.each([timedOut, internal])('succeeds if it takes effect later: $message', async (error) => {
    expect(await failedWrite(error, 3)).toEqual({came: 'found-written', looks: 3});
  });

  it.each([timedOut, internal])('is uncertain if the object stays unchanged: $message', async (error) => {
    expect((await failedWrite(error, Infinity)).came).toBe('WRITE_UNCERTAIN');
  });

  it('fails without reading back if it was never sent', async () => {
    const refused = unreachable('ctx', 'connection refused', 'not-sent');
    expect(await failedWrite(refused, 1)).toEqual({came: 'UNREACHABLE', looks: 0});
  });
});
