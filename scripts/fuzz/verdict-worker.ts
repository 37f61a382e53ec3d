/**
 * Reports our own verdict on directories of CA files: JSON lines {id, dir} on standard input, {id, verdict} on standard
 * output. A process of its own, because a certificate must not be able to end the fuzzer.
 */
import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {createInterface} from 'node:readline';
import {caFileNames} from '../../src/domain/ca/ca-files.js';
import {inspectCaFiles} from '../../src/domain/ca/inspect-ca.js';
import {Sensitive} from '../../src/domain/sensitive.js';
import type {Verdict} from './verdict.js';

function verdictOf(dir: string): Verdict {
  const read = (name: string): string => readFileSync(join(dir, name), 'utf8');
  try {
    const {
      loads,
      findings,
      roots = [],
    } = inspectCaFiles(
      {
        caCert: read(caFileNames.caCert),
        caKey: new Sensitive(read(caFileNames.caKey)),
        rootCert: read(caFileNames.rootCert),
        certChain: read(caFileNames.certChain),
      },
      {now: new Date()},
    );
    return {loads, findings, roots: new Set(roots.map(({fingerprint}) => fingerprint)).size};
  } catch (error) {
    return {thrown: error instanceof Error ? (error.stack ?? error.message) : String(error)};
  }
}

for await (const line of createInterface(process.stdin)) {
  const {id, dir} = JSON.parse(line) as {id: number; dir: string};
  process.stdout.write(`${JSON.stringify({id, verdict: verdictOf(dir)})}\n`);
}
