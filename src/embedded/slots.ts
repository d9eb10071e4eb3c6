/** One place for a request in the engine's context. What it evaluated last stays until it is needed for another. */
export interface Slot {
  readonly id: number;
  busy: boolean;
  /** Tokens whose state the slot holds, in order. */
  tokens: number[];
  /** Number of the request that used it last; 0: never. */
  lastUse: number;
}

/** A kept beginning is worth a less handy slot from this many tokens on, or from half of the prompt. */
const worthKeeping = 32;

export interface SlotChoice {
  readonly slot: Slot;
  /** Tokens at the beginning of the prompt that need not be evaluated again. */
  readonly kept: number;
}

/**
 * The free slot for a prompt; null when all are busy. First the one that holds the longest beginning of it, if that
 * saves enough. Else one that keeps the busy slots in one run without gaps, because llama.cpp evaluates only
 * neighbouring sequences together; among those an empty one, then the one that was idle longest.
 */
export function chooseSlot(
  slots: readonly Slot[],
  prompt: readonly number[],
  reuse: boolean,
): SlotChoice | null {
  const free = slots.filter((slot) => !slot.busy);
  if (free.length === 0) return null;
  const choices = free.map((slot) => ({ slot, kept: reuse ? keptTokens(slot.tokens, prompt) : 0 }));
  const longest = choices.reduce((best, choice) => (choice.kept > best.kept ? choice : best));
  if (longest.kept >= Math.min(worthKeeping, prompt.length / 2)) return longest;
  return choices.reduce((best, choice) => (compare(slots, choice, best) < 0 ? choice : best));
}

function compare(slots: readonly Slot[], a: SlotChoice, b: SlotChoice): number {
  return (
    runs(slots, a.slot.id) - runs(slots, b.slot.id) ||
    Number(a.slot.tokens.length > 0) - Number(b.slot.tokens.length > 0) ||
    a.slot.lastUse - b.slot.lastUse
  );
}

/** Runs of neighbouring busy slots, if this one were busy too. */
function runs(slots: readonly Slot[], also: number): number {
  let count = 0;
  let inside = false;
  for (const slot of slots) {
    const busy = slot.busy || slot.id === also;
    if (busy && !inside) count += 1;
    inside = busy;
  }
  return count;
}

/** At least one token of the prompt is always evaluated: its logits are needed. */
function keptTokens(tokens: readonly number[], prompt: readonly number[]): number {
  const limit = Math.min(tokens.length, prompt.length - 1);
  let length = 0;
  while (length < limit && tokens[length] === prompt[length]) length += 1;
  return length;
}
