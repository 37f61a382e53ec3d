/**
 * The fake kubectl: `proxy --unix-socket` hands connections on to a fake API server in the test's own process,
 * `port-forward` prints the ports the test registered, `config get-contexts` and `version --client` answer like
 * kubectl's. Usage: node kubectl.mjs CONTROL_FILE ARGS... The control file: {contexts: {NAME: {socket, forwards}}, log}.
 */
import {appendFileSync, readFileSync} from 'node:fs';
import {connect, createServer} from 'node:net';

const [controlFile, ...args] = process.argv.slice(2);
const control = JSON.parse(readFileSync(controlFile, 'utf8'));
appendFileSync(control.log, `${JSON.stringify({args, env: Object.keys(process.env), pid: process.pid})}\n`);

/** tcpmux: privileged and never in use. */
const unserved = 1;
const flag = (name) => args.find((arg) => arg.startsWith(`--${name}=`))?.slice(name.length + 3);
const words = args.filter((arg) => !arg.startsWith('-'));
const fail = (message) => {
  process.stderr.write(`${message}\n`);
  process.exit(1);
};

if (words[0] === 'config') {
  process.stdout.write(Object.keys(control.contexts).join('\n') + '\n');
} else if (words[0] === 'version') {
  process.stdout.write(JSON.stringify({clientVersion: {major: '1', minor: '34', gitVersion: 'v1.34.0'}}));
} else {
  const context = control.contexts[flag('context')];
  if (!context) fail(`error: context "${flag('context')}" does not exist`);
  if (words[0] === 'proxy') proxy(context);
  else if (words[0] === 'port-forward') forward(context);
  else fail(`error: the fake kubectl does not know "${words.join(' ')}"`);
}

function proxy(context) {
  const path = flag('unix-socket');
  const server = createServer((near) => {
    const far = connect(context.socket);
    near.on('error', () => far.destroy());
    far.on('error', () => near.destroy());
    near.on('close', () => far.destroy());
    far.on('close', () => near.destroy());
    near.pipe(far);
    far.pipe(near);
  });
  server.listen(path, () => process.stdout.write(`Starting to serve on ${path}\n`));
}

function forward(context) {
  const pod = words[1].replace(/^pod\//, '');
  const ports = context.forwards?.[pod];
  if (!ports) fail(`Error from server (NotFound): pods "${pod}" not found`);
  // The words of a failure.
  if (typeof ports === 'string') fail(ports);
  for (const asked of words.slice(2)) {
    const port = asked.replace(/^:/, '');
    // kubectl listens for every port it is told, and fails only when somebody connects: to one that nobody serves here.
    process.stdout.write(`Forwarding from 127.0.0.1:${ports[port] ?? unserved} -> ${port}\n`);
  }
  setInterval(() => undefined, 60_000);
}
