import {describe, expect, it} from 'vitest';
import {fieldChangedAt, type ObjectMeta} from '../../../src/domain/kube/object.js';

type ManagedFields = NonNullable<ObjectMeta['managedFields']>[number];

const path = ['f:data', 'f:root-cert.pem'];
const owner = (
  time: string | undefined,
  fieldsV1: unknown = {'f:data': {'.': {}, 'f:root-cert.pem': {}}},
): ManagedFields => ({
  manager: 'istiod-1',
  operation: 'Update',
  ...(time !== undefined && {time}),
  fieldsV1,
});

describe('the last change of a field', () => {
  it.each<[string, readonly ManagedFields[] | undefined, string | undefined]>([
    ['by its owner', [owner('2026-01-02T03:04:05Z')], '2026-01-02T03:04:05.000Z'],
    [
      'by the last of two owners',
      [owner('2026-01-02T00:00:00Z'), owner('2026-01-01T00:00:00Z')],
      '2026-01-02T00:00:00.000Z',
    ],
    [
      "ignoring other managers' fields",
      [owner('2026-01-01T00:00:00Z'), owner('2026-05-01T00:00:00Z', {'f:metadata': {'f:labels': {}}})],
      '2026-01-01T00:00:00.000Z',
    ],
    ['without managed fields', undefined, undefined],
    ['without a time', [owner(undefined), owner('yesterday')], undefined],
    [
      'by entries without fields',
      [owner('2026-01-01T00:00:00Z', null), owner('2026-01-01T00:00:00Z', 'f:data')],
      undefined,
    ],
  ])('%s', (_, managedFields, expected) => {
    const meta = {name: 'x', ...(managedFields && {managedFields})};
    expect(fieldChangedAt(meta, path)?.toISOString()).toBe(expected);
  });
});
