import { priorities } from '../../domain/key-limits.ts';
import type { Priority } from '../../domain/key-limits.ts';

/** Header by which a client asks for a band. */
export const priorityHeader = 'x-berth-priority';

/**
 * The band of a request: what its header asks for, else what its route says, else that of its key; never above what the
 * key may. A key that says nothing may what the route says, and "normal" where the route says nothing either.
 */
export function priorityOf(said: {
  readonly key: Priority | undefined;
  readonly route: Priority | undefined;
  readonly header: string | undefined;
}): Priority {
  const most = said.key ?? said.route ?? 'normal';
  const asked = priorities.find((one) => one === said.header) ?? said.route ?? most;
  return priorities.indexOf(asked) < priorities.indexOf(most) ? most : asked;
}
