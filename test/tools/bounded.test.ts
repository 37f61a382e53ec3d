import {describe, expect, it} from 'vitest';
import {MeshError} from '../../src/domain/errors.js';
import {untilAborted} from '../../src/tools/bounded.js';

const endless = () => new Promise<never>(() => undefined);

describe('waiting for work that cannot be cancelled', () => {
  it('returns the work’s result or throws its error', async () => {
    const {signal} = new AbortController();
    await expect(untilAborted(Promise.resolve(7), signal)).resolves.toBe(7);
    await expect(untilAborted(Promise.reject(new MeshError('FILE_MISSING', 'gone')), signal)).rejects.toMatchObject({
      code: 'FILE_MISSING',
    });
  });

  it('throws the abort reason, before and while it waits', async () => {
    const controller = new AbortController();
    const waiting = untilAborted(endless(), controller.signal);
    controller.abort(new MeshError('INTERRUPTED', 'Interrupted'));
    await expect(waiting).rejects.toMatchObject({code: 'INTERRUPTED'});
    await expect(untilAborted(endless(), controller.signal)).rejects.toMatchObject({code: 'INTERRUPTED'});
  });
});
