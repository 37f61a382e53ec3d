#!/usr/bin/env node
// libuv starts four threads unless UV_THREADPOOL_SIZE is set before the first use. Loading an ES module uses one, hence
// CommonJS. Keys are generated on these threads, one on each core.
const {availableParallelism} = require('node:os');
process.env.UV_THREADPOOL_SIZE ??= String(Math.max(4, availableParallelism()));

// Until the command handles signals itself (src/cli/signals.ts), which takes a few hundred milliseconds.
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(name, () => {
    if (process.listenerCount(name) > 1) return;
    process.stderr.write(`error: interrupted by ${name}\n`);
    process.exit(130);
  });
}

void import('../dist/main.js').then(({main}) => main(process.argv.slice(2)));
