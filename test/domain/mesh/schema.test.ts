import {readFileSync} from 'node:fs';
import {describe, expect, it} from 'vitest';
import {meshJsonSchema} from '../../../src/domain/mesh/schema.js';

describe('mesh.schema.json', () => {
  it('is the output of `npm run schema`', () => {
    const committed = readFileSync(new URL('../../../mesh.schema.json', import.meta.url), 'utf8');
    expect(committed).toBe(`${JSON.stringify(meshJsonSchema(), undefined, 2)}\n`);
  });

  it('describes every field', () => {
    const undescribed: string[] = [];
    const visit = (schema: unknown, path: string): void => {
      const {properties = {}, items} = schema as {properties?: Record<string, {description?: string}>; items?: unknown};
      for (const [name, property] of Object.entries(properties)) {
        if (property.description === undefined) undescribed.push(`${path}.${name}`);
        visit(property, `${path}.${name}`);
      }
      if (items !== undefined && typeof items === 'object') visit(items, `${path}[]`);
    };
    visit(meshJsonSchema(), 'mesh');
    expect(undescribed.filter((path) => path !== 'mesh.clusters[].name')).toEqual([]);
  });
});
