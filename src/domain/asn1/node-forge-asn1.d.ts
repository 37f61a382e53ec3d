/**
 * The part of node-forge that `der.ts` uses. The published types cover only the whole library, which takes six times as long
 * to load as this one file.
 */
declare module 'node-forge/lib/asn1.js' {
  interface Asn1 {
    readonly tagClass: number;
    readonly type: number;
    readonly constructed: boolean;
    readonly value: string | readonly Asn1[];
  }
  interface Asn1Codec {
    create(tagClass: number, type: number, constructed: boolean, value: string | Asn1[]): Asn1;
    fromDer(
      bytes: string,
      options: {strict: boolean; parseAllBytes: boolean; decodeBitStrings: boolean; maxDepth: number},
    ): Asn1;
    toDer(value: Asn1): {getBytes(): string};
    oidToDer(oid: string): {getBytes(): string};
    derToOid(bytes: string): string;
  }
  const codec: Asn1Codec;
  export default codec;
  export type {Asn1};
}
