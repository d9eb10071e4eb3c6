import type { BodyRead } from './types.ts';

/** Of a read with one piece of payload that piece: the very bytes of the read where that is all of them, as a view costs as much as a small copy. */
export function onlyPayload({ raw, spans }: BodyRead): Buffer {
  return spans[0] === 0 && spans[1] === raw.length ? raw : raw.subarray(spans[0], spans[1]);
}
