/** Which rows of verify are unknown without a right. */
import {checks} from '../../src/domain/checks/registry.js';
import type {Check} from '../../src/domain/checks/check.js';
import type {Right} from '../../src/domain/facts/rights.js';

/** A row, as far as this needs it. */
interface AnyRow {
  readonly id: string;
  readonly cluster?: string;
  readonly peer?: string;
}

/** The rows that rest on facts which the right tells of, where it is missing in one cluster. */
export function rowsOfRight<Row extends AnyRow>({facts}: Right, cluster: string, rows: readonly Row[]): readonly Row[] {
  return rows.filter((row) => {
    const check: Check | undefined = checks.find(({id}) => id === row.id);
    return check?.requires.some((need) => {
      if (!facts.some((fact) => fact === need)) return false;
      if (check.scope !== 'pair') return row.cluster === undefined || row.cluster === cluster;
      const side = check.sides?.[need];
      return (side !== 'peer' && row.cluster === cluster) || (side !== 'self' && row.peer === cluster);
    });
  });
}
