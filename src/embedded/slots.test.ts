import { expect, test } from 'vitest';
import { chooseSlot } from './slots.ts';
import type { Slot } from './slots.ts';

function slots(...state: (Partial<Slot> | 'busy')[]): Slot[] {
  return state.map((one, id) => ({
    id,
    busy: one === 'busy',
    tokens: [],
    lastUse: 0,
    ...(one === 'busy' ? {} : one),
  }));
}
const prompt = Array.from({ length: 100 }, (_, i) => i);

test('the slot that holds the longest beginning of the prompt is taken', () => {
  const choice = chooseSlot(
    slots({}, { tokens: prompt.slice(0, 40) }, { tokens: prompt.slice(0, 60) }),
    prompt,
    true,
  );
  expect([choice?.slot.id, choice?.kept]).toEqual([2, 60]);
});

test('a prompt that is held whole still has its last token evaluated', () => {
  expect(chooseSlot(slots({ tokens: [...prompt, 7] }), prompt, true)?.kept).toBe(99);
});

test('nothing is kept when the request forbids it', () => {
  const choice = chooseSlot(slots({ tokens: prompt }, {}), prompt, false);
  expect([choice?.slot.id, choice?.kept]).toEqual([1, 0]);
});

test('busy slots stay neighbours, even when an empty slot lies farther off', () => {
  expect(chooseSlot(slots('busy', { tokens: [9], lastUse: 5 }, {}, {}), prompt, true)?.slot.id).toBe(1);
  expect(chooseSlot(slots('busy', { tokens: [9] }, 'busy', {}), prompt, true)?.slot.id).toBe(1);
});

test('of slots that are as good, the one idle longest is taken', () => {
  const choice = chooseSlot(slots({ tokens: [9], lastUse: 5 }, { tokens: [9], lastUse: 3 }), prompt, true);
  expect(choice?.slot.id).toBe(1);
});

test('with all slots busy there is no choice', () => {
  expect(chooseSlot(slots('busy', 'busy'), prompt, true)).toBeNull();
});
