/** Istio's own source, for what a release has beside its programs: scripts, samples, Envoy's bootstrap template. */
import {fileURLToPath} from 'node:url';
import {HarnessError, output} from './processes.js';

const istioModule = fileURLToPath(new URL('../control-planes/istio/', import.meta.url));

/** Directory of Istio's own source, in the version that runs here. */
export async function istioSource(): Promise<string> {
  const found = (await output('go', ['list', '-m', '-f', '{{.Dir}}', 'istio.io/istio'], {cwd: istioModule})).trim();
  if (found === '') throw new HarnessError('the source of istio.io/istio is not in the module cache');
  return found;
}
