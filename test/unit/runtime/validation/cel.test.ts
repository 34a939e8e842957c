/** Kubernetes' CEL libraries: most lines are the examples of their own documentation (k8s.io/apiserver/pkg/cel/library). */
import { describe, expect, it } from '@jest/globals';
import { evaluate } from '../../../../src/runtime/validation/cel/compile.ts';

const HOLDS: Readonly<Record<string, readonly string[]>> = {
  'optional values': [
    "{'a': {'b': 1}}.?a.b.orValue(5) == 1",
    "{'a': 1}.?z.q.orValue(5) == 5",
    "!{'a': 1}.?z.hasValue()",
    '[1, 2][?1].value() == 2',
    '[1, 2][?7].orValue(9) == 9',
    "{'a': {'b': [7]}}.?a.b[0].orValue(0) == 7",
    'optional.of(3).optMap(x, x + 1).value() == 4',
    '!optional.none().optMap(x, x + 1).hasValue()',
    "{'k': {'s': 'v'}}.?k.optFlatMap(k, k.?s).value() == 'v'",
    'optional.none().or(optional.of(2)).value() == 2',
    "!optional.ofNonZeroValue('').hasValue() && optional.ofNonZeroValue('a').hasValue()",
    "has({'a': {'b': 1}}.?a.b) && !has({'a': {'b': 1}}.?a.c)",
    'optional.of([1]) == optional.of([1]) && optional.of(1) != optional.none()',
    "'.?x' + r'.?\\y[?' == '.?x.?\\\\y[?'",
  ],
  quantities: [
    "isQuantity('1.3Gi') && !isQuantity('1,3G') && isQuantity('10000k') && !isQuantity('200K') && !isQuantity('Three') && !isQuantity('Mi')",
    "quantity('50k').asInteger() == 50000",
    "quantity('50000000G').isInteger() && !quantity('9999999999999999999999999999999999999G').isInteger()",
    "quantity('50k').sub(20000).asApproximateFloat() == 30000.0",
    "quantity('50k').add(20).sub(quantity('100k')).sub(-50000) == quantity('20')",
    "quantity('200M').compareTo(quantity('0.2G')) == 0 && quantity('50M').compareTo(quantity('50Mi')) == -1",
    "quantity('150Mi').isGreaterThan(quantity('100Mi')) && quantity('50M').isLessThan(quantity('100M'))",
    "sign(quantity('-1')) == -1 && sign(quantity('0')) == 0",
    "quantity('1e3') == quantity('1k') && quantity('100m') == quantity('0.1') && quantity('.5') == quantity('500m')",
    "quantity('0.1n') == quantity('1n')",
  ],
  urls: [
    "isURL('https://user:pass@example.com:80/path?query=val#fragment') && isURL('/absolute-path')",
    "!isURL('https://a:b:c/') && !isURL('../relative-path')",
    "url('/path').getScheme() == '' && url('https://example.com/').getScheme() == 'https'",
    "url('https://[::1]:80/').getHost() == '[::1]:80' && url('https://[::1]/').getHostname() == '::1'",
    "url('https://example.com:80/').getPort() == '80' && url('/path').getPort() == ''",
    "url('https://example.com/path with spaces/').getEscapedPath() == '/path%20with%20spaces/'",
    "url('https://example.com').getEscapedPath() == ''",
    "url('https://example.com/path?k1=a&k2=b&k2=c').getQuery() == {'k1': ['a'], 'k2': ['b', 'c']}",
    "url('https://example.com/path?key with spaces=value with spaces#f').getQuery() == {'key with spaces': ['value with spaces']}",
    "url('https://example.com/path?').getQuery() == {} && url('/p?a=%zz&b&c=1=2').getQuery() == {'b': [''], 'c': ['1=2']}",
  ],
  addresses: [
    "isIP('127.0.0.1') && isIP('::1') && !isIP('127.0.0.256') && !isIP(':::1') && !isIP('::ffff:1.2.3.4') && !isIP('01.2.3.4')",
    "ip.isCanonical('2001:db8::abcd') && !ip.isCanonical('2001:DB8::ABCD') && !ip.isCanonical('2001:db8::0:0:0:abcd')",
    "ip('127.0.0.1').family() == 4 && ip('::1').family() == 6",
    "ip('0.0.0.0').isUnspecified() && ip('::').isUnspecified() && !ip('::1').isUnspecified()",
    "ip('127.0.0.1').isLoopback() && ip('::1').isLoopback() && !ip('192.168.0.1').isLoopback()",
    "ip('224.0.0.1').isLinkLocalMulticast() && !ip('224.0.1.1').isLinkLocalMulticast() && ip('ff02::1').isLinkLocalMulticast() && !ip('fd00::1').isLinkLocalMulticast()",
    "ip('169.254.169.254').isLinkLocalUnicast() && ip('fe80::1').isLinkLocalUnicast() && !ip('fd80::1').isLinkLocalUnicast()",
    "ip('192.168.0.1').isGlobalUnicast() && !ip('255.255.255.255').isGlobalUnicast() && ip('2001:db8::abcd').isGlobalUnicast() && !ip('ff00::1').isGlobalUnicast()",
    "ip('2001:db8::1') == ip('2001:DB8:0::1') && string(ip('2001:DB8::1')) == '2001:db8::1'",
  ],
  networks: [
    "isCIDR('192.168.0.0/16') && isCIDR('::1/128') && !isCIDR('192.168.0.0/33') && !isCIDR('::1/129')",
    "cidr('192.168.0.0/24').containsIP(ip('192.168.0.1')) && !cidr('192.168.0.0/24').containsIP('192.168.1.1')",
    "cidr('192.168.0.0/16').containsCIDR('192.168.10.0/24') && !cidr('192.168.1.0/24').containsCIDR(cidr('192.168.2.0/24'))",
    "cidr('192.168.0.1/24').ip() == ip('192.168.0.1') && cidr('::1/128').prefixLength() == 128",
    "cidr('192.168.0.1/24').masked() == cidr('192.168.0.0/24') && cidr('192.168.0.1/24') != cidr('192.168.0.1/24').masked()",
    "string(cidr('10.0.0.0/8')) == '10.0.0.0/8' && !cidr('10.0.0.0/8').containsIP('::1')",
  ],
  regex: [
    "'abc 123'.find('[0-9]+') == '123' && 'abc 123'.find('xyz') == ''",
    "'123 abc 456'.findAll('[0-9]+') == ['123', '456'] && '123 abc 456'.findAll('[0-9]+', 1) == ['123']",
    "'123 abc 456'.findAll('[0-9]*') == ['123', '', '', '', '', '456']",
    "'a\\nb'.matches('^b') == false && 'aB'.matches('(?i)ab')",
  ],
  lists: [
    "[1, 2, 3].isSorted() && !['b', 'a'].isSorted() && ['😀'].isSorted() && ['\uffff', '😀'].isSorted()",
    '[1, 2].sum() == 3 && [1.5, 2.0].sum() == 3.5 && [].sum() == 0',
    "[3, 1, 2].min() == 1 && ['b', 'c'].max() == 'c' && [duration('1h'), duration('2m')].min() == duration('2m')",
    "['a', 'b', 'b', 'c'].indexOf('b') == 1 && ['a', 'b', 'b'].lastIndexOf('b') == 2 && [1].indexOf(2) == -1",
    '[1, 2, 2].distinct() == [1, 2] && [[1], [[2]]].flatten() == [1, [2]] && [[1], [[2]]].flatten(2) == [1, 2]',
    '[1, 2, 3].reverse() == [3, 2, 1] && [1, 2, 3].slice(1, 3) == [2, 3] && [2, 1].sort() == [1, 2]',
    'lists.range(3) == [0, 1, 2] && [1, 2].first().value() == 1 && ![].last().hasValue()',
    'sets.contains([1, 2], [1]) && sets.equivalent([1, 1, 2], [2, 1]) && sets.intersects([1], [1, 2]) && !sets.intersects([1], [])',
    '1 in [1.0, 2.0] && !(3 in [1]) && 1u == 1 && {1: [1]} == {1: [1.0]}',
  ],
  formats: [
    "!format.dns1123Label().validate('my-label').hasValue() && format.dns1123Label().validate('My').hasValue()",
    "!format.dns1123Subdomain().validate('a.b').hasValue() && format.dns1035Label().validate('1a').hasValue()",
    "!format.qualifiedName().validate('a.b/c').hasValue() && !format.labelValue().validate('').hasValue()",
    "!format.dns1123LabelPrefix().validate('my-').hasValue() && format.dns1123Label().validate('my-').hasValue()",
    "!format.named('uuid').value().validate('123e4567-e89b-12d3-a456-426614174000').hasValue() && !format.named('x').hasValue()",
    "format.date().validate('2021-13-01').value() == ['invalid date'] && !format.datetime().validate('2021-01-01T00:00:00Z').hasValue()",
    "format.byte().validate('x').hasValue() && format.uri().validate('x').hasValue()",
  ],
  strings: [
    "'TacoCat'.lowerAscii() == 'tacocat' && ' x '.trim() == 'x' && 'a-b'.split('-') == ['a', 'b'] && ['a', 'b'].join() == 'ab'",
    "'hello'.replace('l', 'L', 1) == 'heLlo' && 'hello'.substring(1, 3) == 'el' && 'hello'.charAt(4) == 'o'",
    "'%s is %d, %.1f, %x'.format(['a', 1, 2.5, 255]) == 'a is 1, 2.5, ff' && '日本'.size() == 2",
  ],
  times: [
    "duration('1h') > duration('59m') && timestamp('2020-01-01T00:00:00Z') + duration('24h') == timestamp('2020-01-02T00:00:00Z')",
    "timestamp('2020-01-01T23:00:00Z').getDate('+02:00') == 2 && duration('90m').getHours() == 1",
  ],
};

describe.each(Object.entries(HOLDS))('%s', (_name, expressions) => {
  it.each(expressions)('%s', (expression) => {
    expect(evaluate(expression)).toBe(true);
  });
});

describe('an error', () => {
  it.each([
    "quantity('Three').isInteger()",
    "quantity('1e999999999') == quantity('1')",
    "quantity('1.5').asInteger()",
    "url('x').getHost() == ''",
    "ip('1.2.3').family() == 4",
    "cidr('1.2.3.4').prefixLength() == 1",
    '[].min() == 1',
    '[1].slice(0, 2) == [1]',
    'optional.none().value() == 1',
    "'a'.matches('(')",
    '9223372036854775807 + 1 > 0',
    '[9223372036854775807, 1].sum() > 0',
    "{'a': 1}.b == 1",
    '1 / 0 == 1',
  ])('%s', (expression) => {
    expect(() => evaluate(expression)).toThrow();
  });
});
