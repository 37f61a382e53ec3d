import {readFileSync} from 'node:fs';
import {describe, expect, it} from 'vitest';
import {meshJsonSchema} from '../../../src/domain/mesh/schema.js';

describe('mesh.schema.json', () => {
  it('is what `npm run schema` writes', () => {
    const committed = readFileSync(new URL('../../../mesh.schema.json', import.meta.url), 'utf8');
    expect(committed).toBe(`${JSON.stringify(meshJsonSchema(), undefined, 2)}\n`);
  });

  it('says of every field what it means', () => {
    const silent: string[] = [];
    const visit = (schema: unknown, path: string): void => {
      const {properties = {}, items} = schema as {properties?: Record<string, {description?: string}>; items?: unknown};
      for (const [name, property] of Object.entries(properties)) {
        if (property.description === undefined) silent.push(`${path}.${name}`);
        visit(property, `${path}.${name}`);
      }
      if (items !== undefined && typeof items === 'object') visit(items, `${path}[]`);
    };
    visit(meshJsonSchema(), 'mesh');
    expect(silent.filter((path) => path !== 'mesh.clusters[].name')).toEqual([]);
  });
});
