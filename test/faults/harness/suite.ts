/** Makes tests of faults. Faults of one shape share a lab; one that was not fixed costs the next a new lab. */
import {afterAll, beforeAll, expect, it} from 'vitest';
import {controlPlanes} from '../../e2e/harness/control-planes.js';
import type {Fault} from './fault.js';
import {Lab} from './lab.js';
import {measure} from './measure.js';
import {isWanted} from './only.js';
import {record} from './results.js';
import type {ShapeName} from './shapes.js';

/** A test for each fault, in order of their shapes. */
export function testFaults(faults: readonly Fault[]): void {
  let current: {readonly shape: ShapeName; readonly lab: Lab} | undefined;
  const close = async (): Promise<void> => {
    const {lab} = current ?? {};
    current = undefined;
    await lab?.close();
  };
  const labOf = async (shape: ShapeName): Promise<Lab> => {
    if (current?.shape !== shape) {
      await close();
      current = {shape, lab: await Lab.make(shape)};
    }
    return current.lab;
  };

  // The first build takes longer than a test may.
  beforeAll(async () => {
    await controlPlanes();
  });
  afterAll(close);

  const shapeOf = ({shape = 'two'}: Fault): ShapeName => shape;
  const ordered = [...faults].sort((one, other) => shapeOf(one).localeCompare(shapeOf(other)));
  for (const fault of ordered) {
    it.skipIf(!isWanted(fault.id))(`${fault.id}: ${fault.title}`, async () => {
      const {result, healthy} = await measure(await labOf(shapeOf(fault)), fault);
      record(result);
      if (!healthy) await close();
      expect(result.problems).toEqual([]);
    });
  }
}
