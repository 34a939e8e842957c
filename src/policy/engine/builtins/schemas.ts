/** json.match_schema, json.verify_schema */
import type { RegoValue } from '../values.ts';
import { type Family, Failure } from './builtin.ts';
import { compileSchema } from './schema-compile.ts';
import { documentOf } from './schema-json.ts';
import { type Finding, validate } from './schema-validate.ts';

export const schemas: Family = {
  'json.match_schema': ([document, schema]) => {
    const value = documentOf(document);
    const findings = validate(compileSchema(documentOf(schema)), value);
    return [findings.length === 0, findings.map(describe)];
  },
  'json.verify_schema': ([schema]) => {
    try {
      compileSchema(documentOf(schema));
      return [true, null];
    } catch (error) {
      if (error instanceof Failure) return [false, `jsonschema: ${error.message}`];
      throw error;
    }
  },
};

function describe({ type, field, description }: Finding): RegoValue {
  return {
    type: 'object',
    entries: [
      ['error', `${field}: ${description}`],
      ['type', type],
      ['field', field],
      ['desc', description],
    ],
  };
}
