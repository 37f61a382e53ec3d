import type {Dialect} from './dialect.js';
import {operatorDocument} from './shared.js';

/**
 * istioctl 1.24 renders with Helm and refuses every field under spec.values that is not in its schema (istio/istio
 * operator/pkg/apis/validation/validation.go), so only what it knows may be written.
 */
export const helmValues: Dialect = {
  id: '1.24 and later',
  from: '1.24',
  why: 'istioctl checks every field under spec.values and refuses those it does not know',
  document: (input) => operatorDocument(input, {}),
};
