/** Writes mesh.schema.json, the JSON Schema of mesh.yaml for editors, from the schema that parses the file. */
import {writeFileSync} from 'node:fs';
import {meshJsonSchema} from '../src/domain/mesh/schema.js';

const target = new URL('../mesh.schema.json', import.meta.url);
writeFileSync(target, `${JSON.stringify(meshJsonSchema(), undefined, 2)}\n`);
