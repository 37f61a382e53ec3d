// The fake istioctl: tells the test what it was asked, with the bytes of the file it was given, and says what it is told.
import {readFileSync} from 'node:fs';
import {connect} from 'node:net';

const [socket, ...args] = process.argv.slice(2);
// The value of -f is a line of comma-separated values, as spf13/pflag reads it.
const file = args[args.indexOf('-f') + 1]?.replace(/^"(.*)"$/s, (_all, inner) => inner.replaceAll('""', '"'));
if (file?.includes(',') && !args[args.indexOf('-f') + 1].startsWith('"')) process.exit(64);
const content = args.includes('-f') ? readFileSync(file, 'utf8') : undefined;
const connection = connect(socket);
connection.end(JSON.stringify({args, content, env: Object.keys(process.env)}));
let text = '';
connection.setEncoding('utf8');
connection.on('data', (chunk) => (text += chunk));
connection.on('end', () => {
  const answer = JSON.parse(text);
  if (answer.hang) return void setInterval(() => undefined, 1000);
  process.stdout.write(answer.stdout ?? '');
  process.stderr.write(answer.stderr ?? '');
  process.exitCode = answer.exitCode ?? 0;
});
