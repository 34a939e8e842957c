/** What can be said of a webhook's match condition without the API server. */
import { describe, expect, it } from '@jest/globals';
import { conditionProblem } from '../../../../src/runtime/validation/cel/condition.ts';

describe('conditionProblem', () => {
  it.each([
    "object.metadata.name == 'x'",
    'oldObject == null || request.dryRun',
    "request.userInfo.groups.exists(g, g == 'system:nodes')",
    "authorizer.group('').resource('pods').check('get').allowed()",
    "object.?metadata.?labels[?'a'].orValue('') == 'b'",
    // What only the API server can tell: types, and what we have no words for.
    "'text'",
    "object.metadata.labels.all(k, v, v != '')",
    'object.data.`a-b` == 1',
    '[?object] == []',
    'object.no.such.field == 1',
  ])('nothing against %s', (text) => {
    expect(conditionProblem(text)).toBeUndefined();
  });

  it.each([
    [
      'obj.metadata.name == 1',
      'undeclared reference to obj; there are object, oldObject, request, authorizer',
    ],
    ['object.all(k, other)', 'undeclared reference to other'],
    ['self.x', 'undeclared reference to self'],
    ['object.', 'it is no CEL'],
    ['1 +', 'it is no CEL'],
    ['', 'it is no CEL'],
  ])('%j: %s', (text, words) => {
    expect(conditionProblem(text)).toContain(words);
  });
});
