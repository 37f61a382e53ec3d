#!/usr/bin/env node
// libuv starts four threads unless UV_THREADPOOL_SIZE is set before the first use. Loading an ES module uses one, hence
// CommonJS. Keys are generated on these threads, one on each core.
const {availableParallelism} = require('node:os');
process.env.UV_THREADPOOL_SIZE ??= String(Math.max(4, availableParallelism()));

const args = process.argv.slice(2);
// Started by the program itself (src/cli/supervisor-program.ts): no command, and without oclif, so that it starts fast.
const supervises = args[0] === '__supervise';

// Until the command handles signals itself (src/cli/signals.ts), which takes a few hundred milliseconds. A signal to all
// processes of a run, as from systemd or `pkill`, must not end the supervisor before the run.
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(name, () => {
    if (supervises || process.listenerCount(name) > 1) return;
    process.stderr.write(`error: interrupted by ${name}\n`);
    process.exit(130);
  });
}

if (supervises) void import('../dist/supervise.js').then(({main}) => main());
else void import('../dist/main.js').then(({main}) => main(args));
