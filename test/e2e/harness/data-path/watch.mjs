/**
 * Samples the endpoints of upstream clusters in a pod's Envoy until standard input ends. Prints JSON: when it began (Unix time
 * in milliseconds), the number of samples, the longest time between two, and the addresses of healthy endpoints each time
 * they differ from the sample before, with the milliseconds since the beginning.
 *
 * One argument, JSON: {upstream (a regular expression), intervalMs}.
 */
import {setTimeout as sleep} from 'node:timers/promises';

const {upstream, intervalMs} = JSON.parse(process.argv[2] ?? '{}');
const wanted = new RegExp(upstream);
const began = Date.now();
const changes = [];
let samples = 0;
let longestGap = 0;
let last = began;
let stopped = false;
process.stdin.on('end', () => (stopped = true)).resume();

async function addresses() {
  const answer = await fetch('http://127.0.0.1:15000/clusters?format=json');
  const {cluster_statuses: statuses} = await answer.json();
  return statuses
    .filter(({name}) => wanted.test(name))
    .flatMap(({host_statuses: hosts = []}) => hosts)
    .filter(({health_status: health}) => health?.eds_health_status === 'HEALTHY')
    .map(({address: {socket_address: socket}}) => socket?.address ?? '')
    .sort();
}

// One sample at least, also of a watch that is stopped at once.
do {
  const found = await addresses();
  const now = Date.now();
  samples++;
  longestGap = Math.max(longestGap, now - last);
  last = now;
  if (JSON.stringify(found) !== JSON.stringify(changes.at(-1)?.addresses)) {
    changes.push({at: now - began, addresses: found});
  }
  await sleep(intervalMs);
} while (!stopped);
console.log(JSON.stringify({began, samples, longestGap, changes}));
