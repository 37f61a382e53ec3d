#!/usr/bin/env node
// libuv starts four threads unless UV_THREADPOOL_SIZE is set before the first use. Loading an ES module uses one, hence
// CommonJS. Keys are generated on these threads, one on each core.
const {availableParallelism} = require('node:os');
process.env.UV_THREADPOOL_SIZE ??= String(Math.max(4, availableParallelism()));

const args = process.argv.slice(2);
// Started by the program itself (src/cli/supervisor-program.ts): no command, and without oclif, so that it starts fast.
if (args[0] === '__supervise') void import('../dist/supervise.js').then(({main}) => main());
else void import('../dist/main.js').then(({main}) => main(args));
