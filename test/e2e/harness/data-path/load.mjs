/**
 * Load from within a pod: GET requests until there were `requests` of them or `seconds` are over, each on a connection of its
 * own to the sidecar; those under way are waited for. Prints how often each answer came, as JSON: `answers` by text of responses
 * with status 200, `failures` by status or error code.
 *
 * One argument, JSON: {address, port, host, requests, seconds, concurrency}.
 */
import {get} from 'node:http';

const {address, port, host, requests, seconds, concurrency} = JSON.parse(process.argv[2] ?? '{}');
// Envoy's answer is what counts: after 10 s without a connection (1.31.0:pkg/config/mesh/mesh.go, ConnectTimeout) it tries the next
// endpoint.
const patience = 30_000;
const end = Date.now() + seconds * 1000;
const answers = {};
const failures = {};
let sent = 0;

function count(counts, key) {
  counts[key] = (counts[key] ?? 0) + 1;
}

function one() {
  return new Promise((resolve) => {
    const options = {host: address, port, path: '/', headers: {host}, agent: false, timeout: patience};
    const request = get(options, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (piece) => (text += piece));
      response.on('end', () => {
        if (response.statusCode === 200) count(answers, text);
        else count(failures, `status ${response.statusCode}`);
        resolve();
      });
      response.on('error', (error) => {
        count(failures, error.code ?? error.message);
        resolve();
      });
    });
    request.on('timeout', () => request.destroy(new Error('timeout')));
    request.on('error', (error) => {
      count(failures, error.code ?? error.message);
      resolve();
    });
  });
}

async function worker() {
  while (sent < requests && Date.now() < end) {
    sent++;
    await one();
  }
}

await Promise.all(Array.from({length: concurrency}, worker));
console.log(JSON.stringify({sent, answers, failures}));
