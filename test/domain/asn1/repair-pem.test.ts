import {describe, expect, it} from 'vitest';
import {encodePem} from '../../../src/domain/asn1/pem.js';
import {repairPem} from '../../../src/domain/asn1/repair-pem.js';

const [one, two] = [Buffer.alloc(100, 1), Buffer.alloc(70, 2)];
const text = `${encodePem('CERTIFICATE', one)}${encodePem('CERTIFICATE', two)}`;
const blocksOf = (damaged: string) => repairPem(damaged)?.map(({label, bytes}) => [label, bytes.toString('hex')]);
const both = [one, two].map((bytes) => ['CERTIFICATE', bytes.toString('hex')]);
/** As a file in this encoding that is read as UTF-8. */
const asUtf8 = (bytes: Buffer): string => bytes.toString('utf8');

describe('the blocks of a PEM text', () => {
  it.each<[string, string]>([
    ['canonical', text],
    ['with a byte order mark', `\ufeff${text}`],
    ['with END and BEGIN on one line', text.replaceAll('-----\n-----', '----------')],
    ['with text around', `Bag Attributes\n${text.replaceAll('-----BEGIN', 'subject=x\n-----BEGIN')}more`],
    ['with CRLF', text.replaceAll('\n', '\r\n')],
    ['in JSON', JSON.stringify(text)],
    ['in JSON, with CRLF', JSON.stringify(text.replaceAll('\n', '\r\n'))],
    ['indented', text.replaceAll(/^/gm, '    ')],
    ['with empty lines and no-break spaces', text.replaceAll('\n', '\u00a0\n\n')],
    ['on one line each', text.replaceAll(/(?<=[A-Za-z0-9+/=])\n(?=[A-Za-z0-9+/])/g, '')],
    ['in UTF-16 with a mark', asUtf8(Buffer.from(`\ufeff${text}`, 'utf16le'))],
    ['in UTF-16, the other byte order', asUtf8(Buffer.from(`\ufeff${text}`, 'utf16le').swap16())],
  ])('are all read: %s', (_, damaged) => {
    expect(blocksOf(damaged)).toEqual(both);
  });

  it.each<[string, string]>([
    ['empty', ''],
    ['without blocks', 'hello'],
    ['truncated', text.slice(0, -40)],
    ['beginning in the middle', text.slice(40)],
    ['with a damaged character', text.replace('AQEB', 'AQ*B')],
    ['with a missing character', text.replace('AQEB', 'AQE')],
    ['with another label at the end', text.replace('END CERTIFICATE', 'END KEY')],
    ['with headers', text.replace('-----\n', '-----\nProc-Type: 4,ENCRYPTED\n\n')],
  ])('are not read at all, so that none is lost: %s', (_, damaged) => {
    expect(repairPem(damaged)).toBeUndefined();
  });
});
