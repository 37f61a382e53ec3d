/** One fault, from seed to green: what verify made of it, and what was not as it should be. */
import {chmodSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {checks} from '../../../src/domain/checks/registry.js';
import type {CheckRow} from '../../e2e/harness/mesh-cli.js';
import {HarnessError} from '../../e2e/harness/processes.js';
import {runInTerminal} from '../../helpers/pseudo-terminal.js';
import {changes, followsFrom, subjectOf, type Change} from './compare.js';
import {checkOf, type Editing, type Fault, type Undo} from './fault.js';
import type {Lab, Verified} from './lab.js';
import type {FaultResult} from './results.js';

const isBad = ({result}: CheckRow): boolean => result !== 'ok' && result !== 'skipped';

/** Seeds a fault, looks, fixes it as verify says, looks again. `healthy`: whether the lab can be used for the next one. */
export async function measure(lab: Lab, fault: Fault): Promise<{result: FaultResult; healthy: boolean}> {
  const began = Date.now();
  const seen = new Observations(lab, fault);
  let undo: Undo | undefined;
  try {
    undo = await fault.seed(lab);
    const verified = await lab.verify(...(fault.verifyArgs ?? []));
    seen.judge(verified);
    await seen.fix(verified);
    await undo?.();
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    seen.problems.push(error.message);
    seen.fixed = false;
  }
  const result: FaultResult = {
    kind: 'fault',
    id: fault.id,
    check: checkOf(fault),
    title: fault.title,
    caught: seen.caught,
    caughtBy: seen.caughtBy,
    follows: seen.follows,
    falseAlarms: seen.falseAlarms,
    fixedBy: seen.fixedBy,
    fixed: seen.fixed,
    problems: seen.problems,
    seconds: Math.round((Date.now() - began) / 1000),
  };
  return {result, healthy: seen.fixed};
}

/** What is noted while a fault is there. */
class Observations {
  caught = false;
  caughtBy: readonly string[] = [];
  follows: readonly string[] = [];
  falseAlarms: readonly string[] = [];
  fixedBy = '';
  fixed = false;
  readonly problems: string[] = [];

  constructor(
    readonly lab: Lab,
    readonly fault: Fault,
  ) {}

  judge(verified: Verified): void {
    const {fault} = this;
    const found = this.found(verified);
    this.caught = subjectsOf(fault).every((subject) =>
      found.some(
        (row) =>
          subjectOf(row) === subject &&
          row.result === (fault.result ?? 'error') &&
          fault.says.test(`${row.observed ?? ''}\n${row.reason ?? ''}`),
      ),
    );
    this.caughtBy = [...new Set(verified.checks.filter((row) => isBad(row) && !row.impliedBy).map(({id}) => id))];
    if (!this.caught) this.problems.push(`missed: ${tell(verified.checks.filter(isBad))}`);
    // Flags may have selected some checks only.
    const selected = new Set(verified.checks.map(({id}) => id));
    const before = this.lab.baseline.filter(({id}) => fault.verifyArgs === undefined || selected.has(id));
    const others = changes(before, verified.checks).filter(({subject}) => !subjectsOf(fault).includes(subject));
    const isSilent = ({subject, after}: Change): boolean =>
      fault.silences?.includes(subject) === true && after.every(({result}) => ['skipped', 'unknown'].includes(result));
    const follows = (change: Change): boolean => followsFrom(checks, checkOf(fault), change) || isSilent(change);
    this.follows = [...new Set(others.filter(follows).map(({id}) => id))];
    const wrong = others.filter((change) => !follows(change));
    this.falseAlarms = wrong.map(({subject}) => subject);
    for (const {subject, before, after} of wrong) {
      this.problems.push(`${subject} was ${before.join(', ') || 'not there'}, and changed, too: ${tell(after)}`);
    }
    const exitCode = fault.exitCode ?? (fault.result === 'unknown' ? 4 : 3);
    if (verified.code !== exitCode) {
      this.problems.push(`verify ended with ${String(verified.code)} instead of ${String(exitCode)}`);
    }
  }

  async fix(verified: Verified): Promise<void> {
    const {lab, fault} = this;
    const fixes = [...new Set(this.found(verified).map(({fix = ''}) => fix))];
    if (fixes.length === 0 || fixes.includes('')) this.problems.push('no fix is printed');
    const byPerson = typeof fault.fix === 'object' && 'person' in fault.fix ? fault.fix : undefined;
    const typed = fixes.map((fix) => `\`${fix.replaceAll(lab.cli.workDir, '$WORK_DIR')}\``);
    this.fixedBy = [...typed, ...(byPerson ? [`the user ${byPerson.person}`] : [])].join(', ');
    for (const fix of fixes) await this.execute(fix);
    await byPerson?.act(lab);
    await this.finish();
    const green = await lab.waitForGreen();
    this.fixed = green.code === 0 && !green.checks.some(isBad);
    if (!this.fixed) this.problems.push(`not green afterwards: ${tell(green.checks.filter(isBad))}`);
  }

  /** What the fix leaves to the user: reported by the declared checks only, and then done. */
  private async finish(): Promise<void> {
    const {lab, fault} = this;
    if (!fault.leaves) return;
    const {checks: declared, act} = fault.leaves;
    const left = (await lab.verify()).checks.filter((row) => isBad(row) && row.impliedBy === undefined);
    const ids = [...new Set(left.map(({id}) => id))].sort();
    if (ids.join() !== [...declared].sort().join()) {
      this.problems.push(`after the fix only ${declared.join(', ')} have something to say: ${tell(left)}`);
    }
    await act(lab);
  }

  /** Rows of the fault's check that are not well, about its subjects. */
  private found({checks: rows}: Verified): readonly CheckRow[] {
    const subjects = subjectsOf(this.fault);
    return rows.filter((row) => isBad(row) && subjects.includes(subjectOf(row)) && row.impliedBy === undefined);
  }

  private async execute(command: string): Promise<void> {
    const {lab, fault} = this;
    const {fix} = fault;
    const {workDir, env} = lab.cli;
    if (typeof fix === 'object' && 'typing' in fix) {
      const {code, screen} = await runInTerminal(command, fix.typing, {cwd: workDir, env});
      if (code !== 0) this.problems.push(`the fix ended with ${String(code)}: ${command}\n${screen}`);
      return;
    }
    const editing = typeof fix === 'object' && 'editor' in fix ? {EDITOR: makeEditor(lab, fix)} : {};
    const {code, stdout, stderr} = await lab.cli.shell(command, editing);
    const output = `${stdout}${stderr}`;
    const byPerson = typeof fix === 'object' && 'person' in fix;
    // What a shell says when it cannot make sense of a line (2) or finds no such program (126, 127).
    const ran = byPerson ? ![null, 2, 126, 127].includes(code) && output !== '' : code === 0;
    if (!ran) this.problems.push(`the fix ended with ${String(code)}: ${command}\n${output}`);
  }
}

/** What the rows that must find it are about: `MESH203 one`, `MESH203 two`. */
function subjectsOf(fault: Fault): readonly string[] {
  const {cluster, peer, also = []} = fault;
  const of = (place: Pick<CheckRow, 'cluster' | 'peer'>): string => subjectOf({id: checkOf(fault), ...place});
  const first = of({...(cluster !== undefined && {cluster}), ...(peer !== undefined && {peer})});
  return [first, ...also.map((other) => of(typeof other === 'string' ? {cluster: other} : other))];
}

/** A program that changes the file it is given as a person in an editor would; it refuses another file. */
function makeEditor(lab: Lab, {editor, file = 'mesh.yaml'}: Editing): string {
  const program = join(lab.setting.sandbox.dir, 'editor');
  const wanted = join(lab.setting.sandbox.dir, 'edited');
  const text = lab.read(file);
  const edited = editor(text, lab);
  if (edited === text) throw new HarnessError('the edit that fixes changes nothing');
  writeFileSync(wanted, edited);
  writeFileSync(program, `#!/bin/sh\n[ "$1" -ef "$WORK_DIR/${file}" ] && cat '${wanted}' > "$1"\n`);
  chmodSync(program, 0o755);
  return program;
}

function tell(rows: readonly CheckRow[]): string {
  if (rows.length === 0) return 'nothing';
  return rows
    .map((row) => {
      const consequence = row.impliedBy === undefined ? '' : ` (follows from ${row.impliedBy})`;
      return `${subjectOf(row)} ${row.result}${consequence}: ${row.reason ?? row.observed ?? ''}`;
    })
    .join('; ');
}
