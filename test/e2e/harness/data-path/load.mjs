/**
 * Load from within a pod: GET requests until there were `requests` of them, `seconds` are over or standard input ends, each on a
 * connection of its own to the sidecar; those under way are waited for. Prints JSON: when it began (Unix time in milliseconds),
 * `answers` by text of responses with status 200 and how often each came, `failures` by status or error code and when each came
 * (milliseconds since the beginning).
 *
 * One argument, JSON: {address, port, host, requests, seconds, concurrency}; null for requests or seconds is no limit.
 */
import {get} from 'node:http';

const {address, port, host, requests, seconds, concurrency} = JSON.parse(process.argv[2] ?? '{}');
// Envoy's answer is what counts: after 10 s without a connection (1.31.0:pkg/config/mesh/mesh.go, ConnectTimeout) it tries the next
// endpoint.
const patience = 30_000;
const began = Date.now();
const end = began + (seconds ?? Infinity) * 1000;
const answers = {};
const failures = {};
let sent = 0;
let stopped = false;
process.stdin.on('end', () => (stopped = true)).resume();

function answered(text) {
  answers[text] = (answers[text] ?? 0) + 1;
}

function failed(reason) {
  (failures[reason] ??= []).push(Date.now() - began);
}

function one() {
  return new Promise((resolve) => {
    const options = {host: address, port, path: '/', headers: {host}, agent: false, timeout: patience};
    const request = get(options, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (piece) => (text += piece));
      response.on('end', () => {
        if (response.statusCode === 200) answered(text);
        else failed(`status ${response.statusCode}`);
        resolve();
      });
      response.on('error', (error) => {
        failed(error.code ?? error.message);
        resolve();
      });
    });
    request.on('timeout', () => request.destroy(new Error('timeout')));
    request.on('error', (error) => {
      failed(error.code ?? error.message);
      resolve();
    });
  });
}

async function worker() {
  while (!stopped && sent < (requests ?? Infinity) && Date.now() < end) {
    sent++;
    await one();
  }
}

await Promise.all(Array.from({length: concurrency}, worker));
console.log(JSON.stringify({began, sent, answers, failures}));
process.stdin.destroy();
