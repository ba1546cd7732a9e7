import { expect, test } from 'vitest';
import { outlineText } from './outline.ts';

test('values of one level stand below one another, deeper ones further right', () => {
  const text = outlineText([
    { label: 'Name', value: 'web' },
    { label: 'Labels', lines: ['a=b', 'c=d'] },
    { label: 'Annotations', lines: [] },
    {
      label: 'Spec',
      entries: [
        { label: 'Image', value: 'nginx' },
        { label: 'Mounts', entries: [] },
      ],
    },
    { label: 'Note', value: 'two\nlines' },
    {
      label: 'Events',
      table: [
        ['Type', 'Reason'],
        ['Normal', 'Pulled'],
      ],
    },
    { label: 'Conditions', table: [['Type']] },
  ]);
  expect(text).toBe(`Name:         web
Labels:       a=b
              c=d
Annotations:  <none>
Spec:
  Image:   nginx
  Mounts:  <none>
Note:         two
              lines
Events:
  Type     Reason
  ----     ------
  Normal   Pulled
Conditions:   <none>
`);
});
