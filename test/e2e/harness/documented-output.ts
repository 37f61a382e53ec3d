/** The outputs that docs/many-clusters.md shows, compared with what the program prints. */
import {readFileSync} from 'node:fs';
import {HarnessError} from './processes.js';

const page = new URL('../../../docs/many-clusters.md', import.meta.url);

/** Returns what is printed after the command in the block behind `<!-- output: NAME -->`, in the form of {@link comparable}. */
export function documentedOutput(name: string): string {
  const text = readFileSync(page, 'utf8');
  const [, block] = new RegExp(`<!-- output: ${name} -->\n\n\`\`\`console\n\\$ .*\n([^]*?)\`\`\`\n`).exec(text) ?? [];
  if (block === undefined) throw new HarnessError(`docs/many-clusters.md has no output ${name}`);
  return comparable(block);
}

/** What an output always contains: no date, number of days, or directory. */
export function comparable(text: string): string {
  return text
    .replace(/\d{4}-\d\d-\d\d, in \d+ days/g, 'DATE')
    .replace(/\S*mesh\.yaml$/gm, 'mesh.yaml')
    .trim();
}
