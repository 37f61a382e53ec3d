/**
 * What the fake kubectl answers: `proxy --unix-socket` makes the fake API server listen there, `port-forward` prints the
 * ports that the test registered, `config get-contexts` and `version --client` answer like kubectl's.
 */
import type {ProgramAnswer, ProgramRun} from '../fake-program.js';
import type {FakeCluster} from './fake-cluster.js';

/** tcpmux: privileged and never in use. */
const unservedPort = 1;

/** Answers one run of the fake kubectl. */
export async function answerKubectl(
  run: ProgramRun,
  clusters: ReadonlyMap<string, FakeCluster>,
): Promise<ProgramAnswer> {
  const words = run.args.filter((arg) => !arg.startsWith('-'));
  const flag = (name: string): string =>
    run.args.find((arg) => arg.startsWith(`--${name}=`))?.slice(name.length + 3) ?? '';
  if (words[0] === 'config' && words[1] === 'view') return server(clusters.get(flag('context')), flag('context'));
  if (words[0] === 'config') return {stdout: [...clusters.keys()].join('\n'), exitCode: 0};
  if (words[0] === 'version') {
    return {stdout: JSON.stringify({clientVersion: {major: '1', minor: '34', gitVersion: 'v1.34.0'}}), exitCode: 0};
  }
  const cluster = clusters.get(flag('context'));
  if (!cluster) return failure(`error: context "${flag('context')}" does not exist`);
  if (words[0] === 'proxy') return proxy(run, cluster, flag('unix-socket'));
  if (words[0] === 'port-forward') return forward(words.slice(1), cluster);
  return failure(`error: the fake kubectl does not know "${words.join(' ')}"`);
}

/** The cluster entry of a context, as `config view -o jsonpath={.clusters[0].cluster}` prints it. */
function server(cluster: FakeCluster | undefined, context: string): ProgramAnswer {
  if (!cluster) return failure(`error: context "${context}" does not exist`);
  return {stdout: JSON.stringify(cluster.server), exitCode: 0};
}

async function proxy({ended}: ProgramRun, cluster: FakeCluster, socket: string): Promise<ProgramAnswer> {
  const stop = await cluster.listen(socket).catch((error: unknown) => String(error));
  if (typeof stop === 'string') return failure(`error: ${stop}`);
  void ended.then(stop);
  return {stdout: `Starting to serve on ${socket}`};
}

function forward([target = '', ...ports]: readonly string[], {forwards}: FakeCluster): ProgramAnswer {
  const pod = target.replace(/^pod\//, '');
  const locals = forwards[pod];
  if (locals === undefined) return failure(`Error from server (NotFound): pods "${pod}" not found`);
  // The message with which it fails.
  if (typeof locals === 'string') return failure(locals);
  // kubectl listens on every given port, and fails only when a client connects to one that the pod does not serve.
  const lines = ports.map((given) => {
    const port = given.replace(/^:/, '');
    return `Forwarding from 127.0.0.1:${String(locals[port] ?? unservedPort)} -> ${port}`;
  });
  return {stdout: lines.join('\n')};
}

function failure(message: string): ProgramAnswer {
  return {stderr: message, exitCode: 1};
}
