#!/usr/bin/env node
void import('../dist/complete.js').then(({printCompletions}) => printCompletions(process.argv.slice(2)));
