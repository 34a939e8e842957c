/** yaml.* */
import type { RegoValue } from '../values.ts';
import { type Family, Failure, stringOf } from './builtin.ts';
import { readYaml } from './yaml-read.ts';
import { writeYaml } from './yaml-write.ts';

export const yaml: Family = {
  'yaml.marshal': ([value = null]) => writeYaml(value),
  'yaml.unmarshal': ([text]) => readYaml(stringOf(text)),
  'yaml.is_valid': ([text]: readonly RegoValue[]) => {
    if (typeof text !== 'string') return false;
    try {
      readYaml(text);
      return true;
    } catch (error) {
      if (error instanceof Failure) return false;
      throw error;
    }
  },
};
