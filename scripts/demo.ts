/**
 * `npm run demo`: joins two real control planes on this machine into one mesh, step by step, sends requests between them where
 * that is possible, then removes them. `npm run demo -- --keep` leaves them running and prints how to use and stop them.
 *
 * Exits 0 only if every step succeeded. Ctrl-C removes everything.
 */
import {fileURLToPath} from 'node:url';
import {launch} from './demo/launch.js';
import {demo} from './demo/run.js';

const usage = `npm run demo             create a mesh of two clusters on this machine, verify it, remove it
npm run demo -- --keep   the same, but leave it running and print how to use it`;

const args = process.argv.slice(2);
const unknown = args.find((argument) => argument !== '--keep');
if (unknown !== undefined) {
  console.error(usage);
  process.exitCode = ['--help', '-h'].includes(unknown) ? 0 : 2;
} else if (process.send === undefined) await launch(fileURLToPath(import.meta.url), args);
else process.exit(await demo(args.includes('--keep')));
