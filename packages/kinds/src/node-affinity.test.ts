import { type NodeSelectorTerm, NodeSelectorTerm as Term } from '@navarch/proto';
import { describe, expect, test } from 'vitest';
import { affinityToNode, matchesTerms, namedNodes, requiredTerms, validateNodeTerm } from './node-affinity.ts';

type Shape = Parameters<typeof Term.fromPartial>[0];
const terms = (...shapes: Shape[]): readonly NodeSelectorTerm[] => shapes.map((shape) => Term.fromPartial(shape));
const label = (key: string, operator: string, ...values: string[]) => ({
  matchExpressions: [{ key, operator, values }],
});
const name = (operator: string, ...values: string[]) => ({ matchFields: [{ key: 'metadata.name', operator, values }] });
const node = { name: 'n1', labels: { disk: 'ssd', cores: '8' } };

describe('a node is chosen', () => {
  test.each<{ name: string; terms: Shape[]; chosen: boolean }>([
    { name: 'by a label', terms: [label('disk', 'In', 'hdd', 'ssd')], chosen: true },
    { name: 'not by another value', terms: [label('disk', 'In', 'hdd')], chosen: false },
    { name: 'not for having no such label', terms: [label('zone', 'In', 'a')], chosen: false },
    { name: 'for having no such label', terms: [label('zone', 'NotIn', 'a')], chosen: true },
    { name: 'not for what it must not be', terms: [label('disk', 'NotIn', 'ssd')], chosen: false },
    { name: 'because the label is there', terms: [label('disk', 'Exists')], chosen: true },
    { name: 'not because it is there', terms: [label('disk', 'DoesNotExist')], chosen: false },
    { name: 'by a number', terms: [label('cores', 'Gt', '7')], chosen: true },
    { name: 'not by the same number', terms: [label('cores', 'Lt', '8')], chosen: false },
    { name: 'not by what is no number', terms: [label('disk', 'Gt', '7')], chosen: false },
    { name: 'by its name', terms: [name('In', 'n1')], chosen: true },
    { name: 'not by its name', terms: [name('NotIn', 'n1')], chosen: false },
    { name: 'by one term of two', terms: [label('disk', 'In', 'hdd'), name('In', 'n1')], chosen: true },
    { name: 'not by half a term', terms: [{ ...label('disk', 'In', 'hdd'), ...name('In', 'n1') }], chosen: false },
    { name: 'not by an empty term', terms: [{}], chosen: false },
    { name: 'not by no term', terms: [], chosen: false },
  ])('$name', ({ terms: shapes, chosen }) => expect(matchesTerms(terms(...shapes), node)).toBe(chosen));
});

test('terms that go by names tell which nodes need be looked at', () => {
  expect(namedNodes(terms(name('In', 'a'), name('In', 'b')))).toEqual(new Set(['a', 'b']));
  expect(namedNodes(terms(name('In', 'a'), label('x', 'Exists')))).toBeUndefined();
  expect(namedNodes(terms(name('NotIn', 'a')))).toBeUndefined();
});

test('an affinity to one node is to that alone', () => {
  const required = requiredTerms(affinityToNode('n1')) ?? [];
  expect([matchesTerms(required, node), matchesTerms(required, { ...node, name: 'n2' })]).toEqual([true, false]);
});

describe('terms are refused', () => {
  test.each<{ name: string; term: Shape; message: string }>([
    { name: 'In without values', term: label('disk', 'In'), message: 'must be set for the operator In' },
    { name: 'Exists with values', term: label('disk', 'Exists', 'x'), message: 'must not be set' },
    { name: 'Gt of a word', term: label('cores', 'Gt', 'many'), message: 'one whole number' },
    { name: 'Gt of two numbers', term: label('cores', 'Gt', '1', '2'), message: 'one whole number' },
    {
      name: 'a field that is none',
      term: { matchFields: [{ key: 'spec.x', operator: 'In', values: ['a'] }] },
      message: 'must be metadata.name',
    },
    { name: 'a name with Exists', term: name('Exists'), message: 'In or NotIn' },
    { name: 'two names', term: name('In', 'a', 'b'), message: 'one value' },
  ])('$name', ({ term, message }) => {
    expect(validateNodeTerm(Term.fromPartial(term), 'term')).toMatchObject([
      { message: expect.stringContaining(message) as string },
    ]);
  });
});
