// Finds words that are not used in this project (CONTRIBUTING.md, Wording), in names, comments, messages and documents.
// Part of `npm run lint`. Prints each place with the words to use instead; exits with 1 if there is one.
import {execFileSync} from 'node:child_process';
import {readFileSync} from 'node:fs';

/** Words, each with what to write instead. Names are split: `whatWasSaid` contains "said". */
const words = {
  said: 'reported, given, declared',
  told: 'given, reported',
  whoever: 'anyone who, the caller',
  looked: 'read, inspected, checked',
  asked: 'prompted, requested, required',
  mends: 'fixes',
  mended: 'fixed',
  mending: 'fixing',
  shall: 'must',
  stranger: 'another cluster, an unknown subject',
  strangers: 'other clusters, unknown subjects',
  somebody: 'a user, another client',
  anew: 'again',
  overrule: 'override',
  'in vain': 'without success',
  'is no cluster of': 'is not in',
};

/** Files that quote them. */
const quoting = new Set(['scripts/words.mjs', 'package-lock.json', 'LICENSE']);
const isText = /(?:\.(?:ts|mjs|js|sh|md|json|yaml)|^\.ci\/run)$/;
/** The table "Instead of / Write" of the style guide quotes what not to write. */
const quotation = /<!-- quotation -->[^]*?<!-- end of quotation -->/g;

const pattern = new RegExp(`\\b(?:${Object.keys(words).join('|')})\\b`, 'g');
const files = execFileSync('git', ['ls-files'], {encoding: 'utf8'}).split('\n');
let count = 0;
for (const file of files) {
  if (!isText.test(file) || quoting.has(file) || /(?:^|\/)(?:fixtures|golden)\//.test(file)) continue;
  const text = readFileSync(file, 'utf8').replace(quotation, (part) => part.replace(/[^\n]/g, ''));
  text.split('\n').forEach((line, index) => {
    const split = line
      .replace(/([a-z\d])([A-Z])/g, '$1 $2')
      .replaceAll('_', ' ')
      .toLowerCase();
    for (const [word] of split.matchAll(pattern)) {
      console.log(`${file}:${String(index + 1)}: "${word}": write ${words[word]}`);
      count += 1;
    }
  });
}
if (count > 0) process.exitCode = 1;
