import { expect, test } from 'vitest';
import { humanSize } from './size.ts';

test.each([
  [0, '0 bytes'],
  [1023, '1023 bytes'],
  [1536, '1.5 KiB'],
  [2 * 1024 ** 3, '2 GiB'],
  [410 * 1024 ** 2 + 5, '410 MiB'],
  [-3 * 1024 ** 2, '-3 MiB'],
  [5000 * 1024 ** 4, '5000 TiB'],
])('%d bytes are %s', (bytes, text) => expect(humanSize(bytes)).toBe(text));
