import { BerthError } from './errors/berth-error.ts';
import type { Mark } from './instance.ts';

/** Places for marks hold more, but a mark that grows without end is a fault of ours. */
const maxMarkBytes = 16 * 1024;

/** The previous spec is a comfort for going back; it is dropped when both do not fit. Throws MARK_TOO_LARGE. */
export function fitMark(mark: Mark): { mark: Mark; text: string } {
  for (const fitting of [mark, { ...mark, previous: null }]) {
    const text = JSON.stringify(fitting);
    if (Buffer.byteLength(text) <= maxMarkBytes) return { mark: fitting, text };
  }
  const bytes = Buffer.byteLength(JSON.stringify({ ...mark, previous: null }));
  throw new BerthError('MARK_TOO_LARGE', { deployment: mark.deployment, bytes });
}
