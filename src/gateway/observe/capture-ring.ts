import type { CapturedRequest, CaptureList } from '../../domain/captured-request.ts';
import { numbered } from './live-requests.ts';

/** The latest captures, within a bound of bytes; the oldest make room. In memory alone: they end with the process. */
export interface CaptureRing {
  /** One whose id another has already is kept under its id with a number. */
  readonly add: (capture: CapturedRequest) => void;
  /** Newest first, without bodies. */
  readonly list: () => CaptureList;
  readonly find: (id: string) => CapturedRequest | null;
  readonly resize: (maxBytes: number) => void;
}

export function createCaptureRing(first: number): CaptureRing {
  let maxBytes = first;
  const held: { capture: CapturedRequest; bytes: number }[] = [];
  let total = 0;
  let serial = 0;
  function trim(): void {
    while (total > maxBytes && held.length > 0) total -= held.shift()?.bytes ?? 0;
  }
  return {
    add: (made) => {
      serial += 1;
      const isTaken = held.some(({ capture }) => capture.id === made.id);
      const capture = isTaken ? { ...made, id: numbered(made.id, serial) } : made;
      const bytes = sizeOf(capture);
      held.push({ capture, bytes });
      total += bytes;
      trim();
    },
    list: () => ({
      captures: held
        .map(({ capture: { id, at, key, endpoint, model, status, code } }) => ({
          id,
          at,
          key,
          endpoint,
          model,
          status,
          code,
        }))
        .toReversed(),
      bytes: total,
      maxBytes,
    }),
    find: (id) => held.findLast(({ capture }) => capture.id === id)?.capture ?? null,
    resize: (next) => {
      maxBytes = next;
      trim();
    },
  };
}

/** What it takes in memory, about: text is two bytes a character at most. */
function sizeOf({ request, reply }: CapturedRequest): number {
  let size = 512;
  for (const message of [request, reply]) {
    if (!message) continue;
    size += 2 * message.body.length;
    for (const [name, value] of message.headers) size += 2 * (name.length + value.length);
  }
  return size;
}
