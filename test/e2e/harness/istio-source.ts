/** Istio's own source, for what a release has beside its programs: scripts, samples, Envoy's bootstrap template. */
import type {ControlPlanes} from './control-planes.js';
import {HarnessError, output} from './processes.js';

/** Directory of the source of the Istio that these control planes run. */
export async function istioSource({istioModule}: ControlPlanes): Promise<string> {
  const found = (await output('go', ['list', '-m', '-f', '{{.Dir}}', 'istio.io/istio'], {cwd: istioModule})).trim();
  if (found === '') throw new HarnessError('the source of istio.io/istio is not in the module cache');
  return found;
}
