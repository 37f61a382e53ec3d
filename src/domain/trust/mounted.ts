/** Whether the running istiods read the Secret that a push writes. */
import {type ErrorReport, problem} from '../errors.js';
import {describeSource, readsCacerts} from '../istio/ca-source.js';
import type {IstiodObservation} from './istiod.js';

/** The istiods that read Secret cacerts as `trust push` writes it: a change of the Secret affects only these. */
export function affectedIstiods(istiods: readonly IstiodObservation[]): readonly IstiodObservation[] {
  return istiods.filter(isAffected);
}

/**
 * Returns why a push would not reach an istiod: it mounts another Secret or volume, or reads another directory. To restart it, or
 * to wait until it loads the Secret, cannot help.
 */
export function mountRefusals(istiods: readonly IstiodObservation[]): readonly ErrorReport[] {
  const other = istiods.find((one) => !isAffected(one));
  if (!other) return [];
  return [
    problem(
      'CACERTS_NOT_MOUNTED',
      `Deployment ${other.name} does not read Secret cacerts: it reads its CA from ${describeSource(other.caSource)}`,
      'change the CA there, or the installation, so that volume cacerts is this Secret and is mounted at ROOT_CA_DIR',
      'to write Secret cacerts before you change the installation, use --allow-unmounted',
    ),
  ];
}

function isAffected({name, caSource}: IstiodObservation): boolean {
  return readsCacerts({istiod: name, source: caSource});
}
