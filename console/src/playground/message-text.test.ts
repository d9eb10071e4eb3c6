import { expect, test } from 'vitest';
import { splitFences } from './message-text.tsx';

test('fenced code is set apart, also while its end is still to come', () => {
  expect(splitFences('Run:\n```sh\nberth up\n```\nDone.')).toEqual([
    { code: false, text: 'Run:' },
    { code: true, text: 'berth up' },
    { code: false, text: 'Done.' },
  ]);
  expect(splitFences('Run:\n```sh\nberth')).toEqual([
    { code: false, text: 'Run:' },
    { code: true, text: 'berth' },
  ]);
});

test('backticks within a line are text', () => {
  expect(splitFences('use ```x``` here')).toEqual([{ code: false, text: 'use ```x``` here' }]);
});
