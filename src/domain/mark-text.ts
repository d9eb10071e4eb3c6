import { BerthError } from './errors/berth-error.ts';
import type { Mark } from './instance.ts';

/** Places for marks hold more, but a mark that grows without end is a fault of ours. */
const maxMarkBytes = 16 * 1024;

/** As it is written on an object. Throws MARK_TOO_LARGE. */
export function markText(mark: Mark): string {
  const text = JSON.stringify(mark);
  const bytes = Buffer.byteLength(text);
  if (bytes > maxMarkBytes) throw new BerthError('MARK_TOO_LARGE', { deployment: mark.deployment, bytes });
  return text;
}
