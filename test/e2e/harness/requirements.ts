/** Programs that real control planes need, reported in one line if missing. control-planes.ts checks Go. */
import {HarnessError, run} from './processes.js';

/** Throws a {@link HarnessError} that names every program which does not run here. */
export async function requirePrograms(...programs: ('kubectl' | 'openssl')[]): Promise<void> {
  const answers = await Promise.all(
    programs.map(async (program) => {
      const args = program === 'kubectl' ? ['version', '--client'] : ['version'];
      const ran = await run(program, args).catch(() => undefined);
      return ran?.code === 0 ? [] : [program];
    }),
  );
  const missing = answers.flat();
  if (missing.length > 0) throw new HarnessError(`needed, and not running here: ${missing.join(', ')}`);
}
