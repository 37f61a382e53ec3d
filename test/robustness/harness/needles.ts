/** Every form in which a private key or a passphrase could leak, and the search for them. */
import {createPrivateKey, createPublicKey} from 'node:crypto';

/** A secret in one form. */
export interface Needle {
  readonly what: string;
  readonly text: string;
}

/** Shortest piece that cannot be there by chance. */
const shortest = 24;

/** The forms of a private key in PEM: as it is in its file, and decrypted. */
export function keyNeedles(what: string, pem: string, passphrase: string): readonly Needle[] {
  const key = createPrivateKey({key: pem, passphrase});
  const der = key.export({type: 'pkcs8', format: 'der'});
  const {d = ''} = key.export({format: 'jwk'});
  const scalar = Buffer.from(d, 'base64url');
  const plain = key.export({type: 'pkcs8', format: 'pem'}).toString();
  const forms = [pem, plain].flatMap((text) => [
    ...bodyLines(text),
    bodyLines(text).join(''),
    // As in a Secret's data; any 40 characters of its middle are enough to see it.
    Buffer.from(text).toString('base64').slice(80, 120),
  ]);
  const encodings = [der, scalar].flatMap((bytes) => [
    bytes.toString('hex'),
    bytes.toString('hex').toUpperCase(),
    bytes.toString('base64'),
    bytes.toString('base64url'),
    (bytes.toString('hex').match(/../g) ?? []).join(':'),
  ]);
  // A key file ends with the public half, which stands in certificates too.
  const publicHalf = createPublicKey(key).export({type: 'spki', format: 'der'});
  return [...new Set([...forms, ...encodings])]
    .filter((text) => text.length >= shortest && !publicHalf.includes(Buffer.from(text, 'base64')))
    .map((text) => ({what, text}));
}

/** What is between the PEM lines. */
function bodyLines(pem: string): readonly string[] {
  return pem.split('\n').filter((line) => line.length >= shortest && !line.startsWith('-----'));
}

/** Which needles a text contains, also if its lines were wrapped differently. */
export function leaks(text: string, needles: readonly Needle[]): readonly string[] {
  const joined = text.replaceAll(/\\n|\s/g, '');
  return needles.filter((needle) => text.includes(needle.text) || joined.includes(needle.text)).map(({what}) => what);
}
