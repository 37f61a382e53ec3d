/** Faults that only a running istiod shows. */
import type {Fault} from '../harness/fault.js';

export const liveFaults: readonly Fault[] = [];
