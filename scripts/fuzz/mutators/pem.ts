/** PEM texts: markers, labels, white space and base64. */
import type {FileName} from '../sets.js';
import {certificateFiles, type Mutator, textMutator} from './mutator.js';

const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1');

/** Changes a text of ASCII characters; what it inserts is encoded in Latin-1, so that any byte is possible. */
export function text(variant: string, change: (text: string) => string, places?: readonly FileName[]): Mutator {
  return textMutator(`pem/${variant}`, (bytes) => latin1(change(bytes.toString('latin1'))), places);
}

export const begin =
  (replace: (line: string) => string) =>
  (all: string): string =>
    all.replace(/-----BEGIN [A-Z ]+-----/g, replace);
const end =
  (replace: (line: string) => string) =>
  (all: string): string =>
    all.replace(/-----END [A-Z ]+-----/g, replace);
/** Changes the base64 text of each block. */
export const body =
  (change: (lines: string) => string) =>
  (all: string): string =>
    all.replace(/(?<=-----\n)[A-Za-z0-9+/=\n]+(?=\n-----END)/g, change);
const nbsp = '\xc2\xa0';
const bom = '\xef\xbb\xbf';

export const pemMutators: readonly Mutator[] = [
  text('bom', (all) => bom + all),
  text('bom-between', (all) => all.replaceAll('-----\n-----BEGIN', `-----\n${bom}-----BEGIN`), certificateFiles),
  text('bom-and-newline', (all) => `${bom}\n${all}`),
  text('nbsp-before', (all) => nbsp + all),
  text(
    'nbsp-in-label',
    begin((line) => line.replace(' ', nbsp)),
  ),
  text(
    'nbsp-in-base64',
    body((lines) => lines.replace('\n', `${nbsp}\n`)),
  ),
  text(
    'nbsp-after-begin',
    begin((line) => line + nbsp),
  ),
  text('form-feed-before', (all) => `\f${all}`),
  text('form-feed-between', (all) => all.replaceAll('-----\n-----', '-----\n\f\n-----')),
  text(
    'form-feed-in-base64',
    body((lines) => lines.replace('\n', '\f\n')),
  ),
  text(
    'form-feed-after-begin',
    begin((line) => `${line}\f`),
  ),
  text(
    'vertical-tab-in-base64',
    body((lines) => lines.replace('\n', '\v\n')),
  ),
  text(
    'vertical-tab-after-end',
    end((line) => `${line}\v`),
  ),
  text('vertical-tab-before', (all) => `\v${all}`),
  text('nul-before', (all) => `\0${all}`),
  text(
    'nul-in-base64',
    body((lines) => lines.replace('\n', '\0\n')),
  ),
  text('nul-after', (all) => `${all}\0`),
  text('spaces-before', (all) => `  ${all}`),
  text('tab-before', (all) => `\t${all}`),
  text('indented', (all) => all.replace(/^/gm, '  ')),
  text('spaces-after-lines', (all) => all.replaceAll('\n', '  \n')),
  text('tabs-after-lines', (all) => all.replaceAll('\n', '\t\n')),
  text(
    'spaces-after-begin',
    begin((line) => `${line}  `),
  ),
  text(
    'spaces-after-end',
    end((line) => `${line}  `),
  ),
  text('glued', (all) => all.replaceAll('-----\n-----BEGIN', '----------BEGIN'), certificateFiles),
  text('glued-with-space', (all) => all.replaceAll('-----\n-----BEGIN', '----- -----BEGIN'), certificateFiles),
  text(
    'junk-before-begin',
    begin((line) => `junk ${line}`),
  ),
  text(
    'junk-after-begin',
    begin((line) => `${line} junk`),
  ),
  text(
    'junk-after-end',
    end((line) => `${line} junk`),
  ),
  text('base64-after-begin', (all) => all.replace(/(-----BEGIN [A-Z ]+-----)\n/g, '$1')),
  text('base64-before-end', (all) => all.replace(/\n(-----END)/g, '$1')),
  text('cr-only', (all) => all.replaceAll('\n', '\r')),
  text('crlf', (all) => all.replaceAll('\n', '\r\n')),
  text('crlf-mixed', (all) => all.replace('\n', '\r\n')),
  text('cr-cr-lf', (all) => all.replaceAll('\n', '\r\r\n')),
  text('lf-cr', (all) => all.replaceAll('\n', '\n\r')),
  text('no-last-newline', (all) => all.trimEnd()),
  text('blank-lines', (all) => all.replaceAll('\n', '\n\n')),
  text('blank-lines-between', (all) => all.replaceAll('-----\n-----', '-----\n\n\n-----')),
  text(
    'blank-line-after-begin',
    begin((line) => `${line}\n`),
  ),
  text(
    'blank-line-in-base64',
    body((lines) => lines.replace('\n', '\n\n')),
  ),
  text(
    'blank-line-before-end',
    end((line) => `\n${line}`),
  ),
  text(
    'headers',
    begin((line) => `${line}\nName: value\n`),
  ),
  text(
    'headers-without-blank-line',
    begin((line) => `${line}\nName: value`),
  ),
  text(
    'header-without-value',
    begin((line) => `${line}\nName:\n`),
  ),
  text(
    'header-continued',
    begin((line) => `${line}\nName: value\n more\n`),
  ),
  text(
    'header-colon-late',
    begin((line) => `${line}\n: value\n`),
  ),
  text(
    'headers-proc-type',
    begin((line) => `${line}\nProc-Type: 4,MIC-CLEAR\n`),
  ),
  text('label-lower-case', (all) => all.replace(/(?<=BEGIN |END )[A-Z ]+/g, (label) => label.toLowerCase())),
  text('begin-lower-case', (all) => all.replaceAll('BEGIN', 'begin').replaceAll('END', 'end')),
  text('label-trusted', (all) => all.replaceAll(' CERTIFICATE-', ' TRUSTED CERTIFICATE-'), certificateFiles),
  text('label-x509', (all) => all.replaceAll(' CERTIFICATE-', ' X509 CERTIFICATE-'), certificateFiles),
  text(
    'label-x509-first',
    (all) => all.replace(' CERTIFICATE-', ' X509 CERTIFICATE-').replace('END CERTIFICATE-', 'END X509 CERTIFICATE-'),
    certificateFiles,
  ),
  text(
    'label-trusted-first',
    (all) =>
      all.replace(' CERTIFICATE-', ' TRUSTED CERTIFICATE-').replace('END CERTIFICATE-', 'END TRUSTED CERTIFICATE-'),
    certificateFiles,
  ),
  text('label-other', (all) => all.replaceAll(' CERTIFICATE-', ' CERT-'), certificateFiles),
  text('label-pkcs7', (all) => all.replaceAll(' CERTIFICATE-', ' PKCS7-'), certificateFiles),
  text('label-space', (all) => all.replaceAll(' CERTIFICATE-', ' CERTIFICATE -'), certificateFiles),
  text(
    'label-end-differs',
    end((line) => line.replace('END ', 'END X')),
  ),
  text('label-empty', (all) => all.replace(/(BEGIN|END) [A-Z ]+-----/g, '$1 -----')),
  text(
    'four-dashes',
    begin((line) => line.slice(1)),
  ),
  text(
    'six-dashes',
    begin((line) => `-${line}`),
  ),
  text(
    'six-dashes-after',
    begin((line) => `${line}-`),
  ),
  text(
    'no-begin',
    begin(() => ''),
  ),
  text(
    'no-end',
    end(() => ''),
  ),
  text('no-last-end', (all) => all.slice(0, all.lastIndexOf('-----END'))),
  text(
    'begin-twice',
    begin((line) => `${line}\n${line}`),
  ),
  text('begin-before', (all) => `-----BEGIN CERTIFICATE-----\n${all}`),
  text('end-before', (all) => `-----END CERTIFICATE-----\n${all}`),
  text(
    'spaces-in-base64',
    body((lines) => lines.replace(/^(.{20})/gm, '$1 ')),
  ),
  text(
    'tabs-in-base64',
    body((lines) => lines.replace(/^(.{20})/gm, '$1\t')),
  ),
  text(
    'dash-in-base64',
    body((lines) => lines.replace(/^(.{20})/m, '$1-')),
  ),
  text(
    'asterisk-in-base64',
    body((lines) => lines.replace(/^(.{20})/m, '$1*')),
  ),
  text(
    'url-base64',
    body((lines) => lines.replaceAll('+', '-').replaceAll('/', '_')),
  ),
  text(
    'padding-missing',
    body((lines) => lines.replace(/=+$/, '')),
  ),
  text(
    'padding-extra',
    body((lines) => `${lines}=`),
  ),
  text(
    'padding-extra-4',
    body((lines) => `${lines}====`),
  ),
  text(
    'padding-in-middle',
    body((lines) => lines.replace('\n', '==\n')),
  ),
  text(
    'padding-bits',
    body((lines) => lines.replace(/.(?==+$)/, (last) => String.fromCharCode(last.charCodeAt(0) + 1))),
  ),
  text(
    'base64-extra-character',
    body((lines) => `${lines}A`),
  ),
  text(
    'checksum-line',
    body((lines) => `${lines}\n=abcd`),
  ),
  text(
    'one-line',
    body((lines) => lines.replaceAll('\n', '')),
  ),
  text(
    'lines-76',
    body((lines) => lines.replaceAll('\n', '').replace(/.{76}/g, '$&\n')),
  ),
  text(
    'lines-1000',
    body((lines) => lines.replaceAll('\n', '').replace(/.{1000}/g, '$&\n')),
  ),
  // BoringSSL reads 253 bytes at once.
  ...[252, 253, 254, 506].map((length) =>
    text(
      `lines-${String(length)}`,
      body((lines) =>
        lines
          .replaceAll('\n', '')
          .replace(new RegExp(`.{${String(length)}}`, 'g'), '$&\n')
          .trimEnd(),
      ),
    ),
  ),
  text(
    'lines-160-spaces-94',
    body((lines) =>
      lines
        .replaceAll('\n', '')
        .replace(/.{160}/g, `$&${' '.repeat(94)}\n`)
        .trimEnd(),
    ),
  ),
  text(
    'lines-1',
    body((lines) => lines.replaceAll('\n', '').replace(/./g, '$&\n').trimEnd()),
  ),
  text(
    'lines-20000-spaces',
    body((lines) => lines.replace('\n', `${' '.repeat(20000)}\n`)),
  ),
];
