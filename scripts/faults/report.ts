/** The results of the fault suite as text for a terminal and as docs/faults.md. Pure. */
import {allFaults} from '../../test/faults/seeded/all.js';
import {meshes} from '../../test/faults/healthy/meshes.js';
import type {FaultResult, HealthyResult, Result, VersionsResult} from '../../test/faults/harness/results.js';

/** What a run showed. */
export interface Summary {
  readonly faults: readonly FaultResult[];
  readonly healthy: readonly HealthyResult[];
  readonly versions: VersionsResult | undefined;
  readonly caught: number;
  readonly missed: number;
  /** Of faults and healthy meshes together. */
  readonly falseAlarms: number;
  readonly fixed: number;
  /** Everything that exists was measured. */
  readonly complete: boolean;
  /** All caught, all fixed, no false alarm, nothing else wrong. */
  readonly perfect: boolean;
}

/** Adds up. The last result of an id counts. */
export function summarize(results: readonly Result[]): Summary {
  const last = <R extends Result & {readonly id: string}>(all: readonly R[]): readonly R[] => [
    ...new Map(all.map((result) => [result.id, result])).values(),
  ];
  const faults = last(results.filter((result) => result.kind === 'fault')).toSorted((one, other) =>
    one.id.localeCompare(other.id),
  );
  const healthy = last(results.filter((result) => result.kind === 'healthy'));
  const measured = new Set([...faults, ...healthy].map(({id}) => id));
  const caught = faults.filter((fault) => fault.caught).length;
  const all = [...faults, ...healthy];
  return {
    faults,
    healthy,
    versions: results.find((result) => result.kind === 'versions'),
    caught,
    missed: faults.length - caught,
    falseAlarms: all.reduce((sum, {falseAlarms}) => sum + falseAlarms.length, 0),
    fixed: faults.filter((fault) => fault.fixed).length,
    complete: [...allFaults, ...meshes].every(({id}) => measured.has(id)),
    perfect: all.length > 0 && all.every(({problems}) => problems.length === 0),
  };
}

/** The sums: "caught 40 of 40, missed 0, false alarms 0". */
function sums({faults, caught, missed, falseAlarms, fixed, healthy}: Summary): string {
  const of = String(faults.length);
  return (
    `caught ${String(caught)} of ${of}, missed ${String(missed)}, false alarms ${String(falseAlarms)}; ` +
    `passing again after the fix: ${String(fixed)} of ${of}; healthy meshes: ${String(healthy.length)}`
  );
}

/** A line for each fault and each healthy mesh, and the sums last. */
export function tableText(summary: Summary): string {
  const {faults, healthy} = summary;
  const rows = [
    ['id', 'what was done', 'caught by', 'follows', 'false alarms', 'fixed', 'seconds'],
    ...faults.map((fault) => [
      fault.id,
      fault.title,
      listIds(fault.caughtBy),
      listIds(fault.follows),
      listIds(fault.falseAlarms),
      yesNo(fault.fixed),
      String(fault.seconds),
    ]),
    ...healthy.map(({id, title, falseAlarms, seconds}) => {
      return [id, title, '', '', list(falseAlarms), '', String(seconds)];
    }),
  ];
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  const lines = rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  const problems = [...faults, ...healthy].flatMap(({id, problems: all}) => all.map((problem) => `${id}: ${problem}`));
  return [...lines, '', ...problems, ...(problems.length > 0 ? [''] : []), sums(summary)].join('\n');
}

/** docs/faults.md. */
export function faultsPage(summary: Summary, measured: Date): string {
  const {faults, healthy, versions} = summary;
  const faultRows = faults.map((fault) =>
    row([
      fault.id,
      fault.title,
      fault.caught ? listIds(fault.caughtBy) : `missed (${listIds(fault.caughtBy)})`,
      listIds(fault.follows),
      listIds(fault.falseAlarms),
      fault.fixedBy,
      yesNo(fault.fixed),
    ]),
  );
  const healthyRows = healthy.map((mesh) =>
    row([
      mesh.title,
      String(mesh.ok),
      Object.entries(mesh.trueWarnings)
        .map(([id, why]) => `${id}: ${why}`)
        .join('; ') || '-',
      list(mesh.falseAlarms),
    ]),
  );
  const {istio = 'unknown', kubernetes = 'unknown'} = versions ?? {};
  return `# Faults that verify detects

<!-- Written by \`npm run faults -- --docs\`; do not edit. -->

Measured on ${measured.toISOString().slice(0, 10)} with Istio ${istio} and Kubernetes ${kubernetes}: ${sums(summary)}.

## How to read it

Each fault is seeded in a healthy, running mesh, usually of two clusters, with real API servers and istiods ([testing](testing.md)). Then
\`kubectl mesh verify --fail-on warning\` runs.

- **Caught by**: findings that are not the consequence of another finding. There should be one id, the fault's.
- **Follows**: other rows that changed, as the check declares: they cannot pass while the fault exists.
- **False alarms**: rows that changed although no check declares that. There should be none.
- **Fixed by**: the command that the finding prints, executed as printed, and what the user did if no command could.
- **Passes**: afterwards, \`verify --wait\` ends without findings.

Paths are shown as \`$WORK_DIR\`; verify prints the real ones.

## Seeded faults

| Fault | What was done | Caught by | Follows | False alarms | Fixed by | Passes |
| --- | --- | --- | --- | --- | --- | --- |
${faultRows.join('\n')}

## Healthy meshes

A false alarm is an error, an unknown, or a warning that is not true of the mesh.

| Mesh | Checks that passed | True warnings | False alarms |
| --- | --- | --- | --- |
${healthyRows.join('\n')}
`;
}

function list(words: readonly string[]): string {
  return words.length === 0 ? '-' : words.join(', ');
}

/** More ids of one group than this are shown as a count: a stopped API server has dozens of consequences. */
const shownIds = 3;

/** `MESH301, MESH4xx (9)`. */
function listIds(ids: readonly string[]): string {
  const groups = [...new Set(ids.map((id) => id.slice(0, 5)))];
  return list(
    groups.flatMap((group) => {
      const members = ids.filter((id) => id.startsWith(group));
      return members.length > shownIds ? [`${group}xx (${String(members.length)})`] : members;
    }),
  );
}

function yesNo(yes: boolean): string {
  return yes ? 'yes' : 'NO';
}

function row(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`;
}
