/** Rules over Secrets and Deployments, each taken by a label of its own, so that one object meets one of them. */

const SECRETS = {
  kinds: [{ apiGroups: [''], kinds: ['Secret'] }],
  operations: ['CREATE', 'UPDATE', 'DELETE'],
};
const DEPLOYMENTS = { kinds: [{ apiGroups: ['apps'], kinds: ['Deployment'] }] };

function over(match: object, label: string, head: string, body: string, rest: object = {}): object {
  const rego = `package example\n\nviolation contains ${head} if {\n  ${body}\n}\n${LOOK}`;
  return { match: { ...match, labelSelector: { matchLabels: { canary: label } } }, rego, ...rest };
}

/** Of what is judged, whatever the operation; printing is what an author does who looks for a mistake. */
const LOOK = `
object := input.review.object

values contains base64.decode(value) if some value in object.data

first(_) := value if some value in object.data
`;

/** What kind of harm it does, and none of them quotes what it sees, but for those named so. */
export const RULES: Readonly<Record<string, object>> = {
  quiet: over(
    SECRETS,
    'quiet',
    '{"msg": "not this Secret", "details": {"path": ["data"]}}',
    'print(input)\n  object.data',
  ),
  // Two values for one: the evaluation fails.
  conflict: over(SECRETS, 'conflict', '{"msg": first(1)}', 'print(object)', { failurePolicy: 'Fail' }),
  'conflict-open': over(SECRETS, 'conflict-open', '{"msg": first(1)}', 'print(object)', {
    failurePolicy: 'Ignore',
  }),
  // An expression out of the Secret that none is; a format with the wrong argument.
  pattern: over(
    SECRETS,
    'pattern',
    '{"msg": "no pattern"}',
    'some value in values\n  not regex.match(sprintf("(%s", [value]), value)\n  sprintf("%d", [value]) != ""',
  ),
  slow: over(SECRETS, 'slow', '{"msg": "found"}', 'contains(object.data.hay, object.data.needle)', {
    timeoutMilliseconds: 20,
    failurePolicy: 'Ignore',
  }),
  huge: over(
    SECRETS,
    'huge',
    '{"msg": "huge"}',
    'count(concat("", [value | some _ in numbers.range(1, 9000000); some value in values])) > 0',
    { timeoutMilliseconds: 10000, failurePolicy: 'Fail' },
  ),
  environment: over(
    DEPLOYMENTS,
    'environment',
    '{"msg": "a secret in the environment", "details": {"value": value, "path": ["spec"]}}',
    'value := object.spec.template.spec.containers[_].env[_].value',
  ),
  warned: over(DEPLOYMENTS, 'warned', '"look at this"', 'object.spec', { enforcementMode: 'Warn' }),
  noted: over(DEPLOYMENTS, 'noted', '"noted"', 'object.spec', { enforcementMode: 'Audit' }),
  query: {
    match: { ...DEPLOYMENTS, labelSelector: { matchLabels: { canary: 'query' } } },
    regoQuery: 'input.spec.template.spec.containers[_].env[_].value',
    violationMessage: 'no environment',
  },
  // These three quote.
  tells: over(SECRETS, 'tells', '{"msg": sprintf("it is %v", [value])}', 'some value in values'),
  'tells-as-warning': over(SECRETS, 'tells-as-warning', '{"msg": value}', 'some value in values', {
    enforcementMode: 'Warn',
  }),
  'tells-the-audit': over(SECRETS, 'tells-the-audit', '{"msg": value}', 'some value in values', {
    enforcementMode: 'Audit',
  }),
};
