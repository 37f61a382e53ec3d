#!/usr/bin/env node
// libuv makes four threads, whatever the machine has, unless it is told before the first is needed: that is before any ES
// module is read, hence CommonJS. Keys are made on these threads, one on each core.
const {availableParallelism} = require('node:os');
process.env.UV_THREADPOOL_SIZE ??= String(Math.max(4, availableParallelism()));

void import('../dist/main.js').then(({main}) => main(process.argv.slice(2)));
