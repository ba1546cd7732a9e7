import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { duplicateFields } from './json-text.ts';

test.each<[string, string[]]>([
  ['{"a":1,"b":2}', []],
  ['{"a":1,"a":2}', ['a']],
  ['{"a":{"b":1,"c":2,"b":3},"b":1}', ['a.b']],
  ['{"a":[{"x":1},{"x":1,"x":2}]}', ['a[1].x']],
  ['[[1,2],[{"x":1,"x":2}]]', ['[1][0].x']],
  ['{"a":"{\\"x\\":1,\\"x\\":2}","b":["x","x"]}', []],
  ['{"a":{},"b":[],"a":[]}', ['a']],
  ['{"\\u0061":1,"a":2}', ['a']],
  ['{"a.b/c":1, "a.b/c" : 2, "a.b/c":3}', ['[a.b/c]']],
  ['{"a":[],"l":[[],{"y":1}],"l2":1,"l":2}', ['l']],
])('in %s: %j', (text, paths) => expect(duplicateFields(text)).toEqual(paths));

test('a text that was made from a value has none', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      expect(duplicateFields(JSON.stringify(value, null, 1))).toEqual([]);
    }),
  );
});
