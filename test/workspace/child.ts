/** A process of its own for tests: writes, journals or locks as its arguments say, and may be killed at a fault point. */
import {setTimeout as sleep} from 'node:timers/promises';
import {Sensitive} from '../../src/domain/sensitive.js';
import {createWorkspace} from '../../src/workspace/create.js';

const [root = '', job = '', argument = ''] = process.argv.slice(2);
let points = 0;
const workspace = createWorkspace({
  root,
  now: () => new Date(),
  // Kills this process for real, without a handler having a word, at the step whose number was given.
  faults: () => {
    points += 1;
    if (job === 'write' && points === Number(argument)) process.kill(process.pid, 'SIGKILL');
  },
});

switch (job) {
  case 'write': {
    process.umask(0);
    const lock = await workspace.lock('test');
    const intent = await workspace.journal.intent({command: 'test', action: 'cluster1', title: 'write four files'});
    await workspace.write([
      {path: 'cluster1/ca-key.pem', content: new Sensitive('new key')},
      {path: 'cluster1/ca-cert.pem', content: 'new ca'},
      {path: 'cluster1/root-cert.pem', content: 'new root'},
      {path: 'cluster1/cert-chain.pem', content: 'new chain'},
    ]);
    await workspace.journal.outcome({intent, status: 'done'});
    await lock.release();
    process.stdout.write(`points ${String(points)}\n`);
    break;
  }
  case 'die-locked':
    await workspace.lock('test');
    process.kill(process.pid, 'SIGKILL');
    break;
  case 'hold':
    await workspace.lock('hold');
    process.stdout.write('held\n');
    await sleep(60_000);
    break;
  case 'contend':
    // Counts in a file without any other care: only a lock that works keeps the count right.
    for (let won = 0; won < Number(argument);) {
      try {
        const lock = await workspace.lock('contend');
        const count = Number((await workspace.readText('count')) ?? '0');
        await workspace.write([{path: 'count', content: String(count + 1)}]);
        won += 1;
        // Every third winner dies with the lock in its hand.
        if (won === Number(argument) && process.pid % 3 === 0) process.kill(process.pid, 'SIGKILL');
        await lock.release();
      } catch (error) {
        if ((error as {code?: string}).code !== 'WORKDIR_LOCKED') throw error;
        await sleep(Math.random() * 25);
      }
    }
    break;
  default:
    throw new Error(`no such job: ${job}`);
}
