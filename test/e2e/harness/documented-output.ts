/** The outputs that pages in docs show, compared with what the program prints. */
import {readFileSync} from 'node:fs';
import {HarnessError} from './processes.js';

/** Returns what is printed after the command in the block behind `<!-- output: NAME -->`, in the form of {@link comparable}. */
export function documentedOutput(name: string, page = 'many-clusters.md'): string {
  const text = readFileSync(new URL(`../../../docs/${page}`, import.meta.url), 'utf8');
  const [, block] = new RegExp(`<!-- output: ${name} -->\n\n\`\`\`console\n\\$ .*\n([^]*?)\`\`\`\n`).exec(text) ?? [];
  if (block === undefined) throw new HarnessError(`docs/${page} has no output ${name}`);
  return comparable(block);
}

/** What an output always contains: no date, number of days, fingerprint, or directory. */
export function comparable(text: string): string {
  return text
    .replace(/\d{4}-\d\d-\d\d, in \d+ days/g, 'DATE')
    .replace(/(?:[0-9A-F]{2}:){7}[0-9A-F]{2}/g, 'FINGERPRINT')
    .replace(/\S*mesh\.yaml$/gm, 'mesh.yaml')
    .trim();
}
