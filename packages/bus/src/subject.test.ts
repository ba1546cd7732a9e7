import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { anyToken, anyTokens, captures, matches, subject, subjectPattern, tokensOf } from './subject.ts';

const token = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.string({ unit: fc.constantFrom('.', '*', '>', ' ', '=', 'a', '-', '\n') }),
);

describe('subject', () => {
  test.each([
    [['changes', 'pods', 'web'], 'navarch.changes.pods.web'],
    [['changes', 'pods', 'web.1'], 'navarch.changes.pods.web=2e1'],
    [['a b', '*', '>', '='], 'navarch.a=20b.=2a.=3e.=3d'],
    [['changes', ''], 'navarch.changes.='],
    [['ä'], 'navarch.=c3=a4'],
  ])('%j is %s', (tokens, expected) => expect(subject(...tokens)).toBe(expected));

  test('gives back what it was given, and is a legal subject without wildcards', () => {
    fc.assert(
      fc.property(fc.array(token), (tokens) => {
        const made = subject(...tokens);
        expect(tokensOf(made)).toEqual(tokens);
        expect(made).toMatch(/^navarch(\.[A-Za-z0-9_=-]+)*$/);
      }),
    );
  });

  test('differs for different tokens', () => {
    fc.assert(
      fc.property(fc.array(token), fc.array(token), (a, b) => {
        expect(subject(...a) === subject(...b)).toBe(JSON.stringify(a) === JSON.stringify(b));
      }),
    );
  });

  test.each(['', 'other.a', 'navarch.', 'navarch.a..b', 'navarch.=g0', 'navarch.=ff', 'navarch.*', 'navarch.>'])(
    '%j is nobody’s subject',
    (text) => expect(tokensOf(text)).toBeUndefined(),
  );
});

describe('subjectPattern', () => {
  test('matches by token', () => {
    fc.assert(
      fc.property(fc.array(token, { minLength: 1 }), fc.nat(), (tokens, at) => {
        const index = at % tokens.length;
        const made = subject(...tokens);
        expect(matches(subjectPattern(...tokens), made)).toBe(true);
        expect(
          matches(subjectPattern(...tokens.with(index, 'x').map((t, i) => (i === index ? anyToken : t))), made),
        ).toBe(true);
        expect(matches(subjectPattern(...tokens.slice(0, index), anyTokens), made)).toBe(true);
        expect(matches(subjectPattern(...tokens, anyTokens), made)).toBe(false);
        expect(matches(subjectPattern(...tokens, anyToken), made)).toBe(false);
        expect(matches(subjectPattern(...tokens.slice(0, -1)), made)).toBe(false);
      }),
    );
  });

  test('takes the rest only at the end', () => {
    expect(() => subjectPattern(anyTokens, 'a')).toThrow('must come last');
  });

  test('tells a stream’s subjects', () => {
    const stream = { subjects: [subjectPattern('events', anyTokens), subject('other')] };
    expect(captures(stream, subject('events', 'a', 'b'))).toBe(true);
    expect(captures(stream, subject('other'))).toBe(true);
    expect(captures(stream, subject('events'))).toBe(false);
  });
});
