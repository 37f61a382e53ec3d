#!/usr/bin/env node
// libuv starts four threads unless UV_THREADPOOL_SIZE is set before the first use. Loading an ES module uses one, hence
// CommonJS. Keys are generated on these threads, one on each core.
const {availableParallelism} = require('node:os');
process.env.UV_THREADPOOL_SIZE ??= String(Math.max(4, availableParallelism()));

void import('../dist/main.js').then(({main}) => main(process.argv.slice(2)));
