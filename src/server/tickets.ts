import type { Clock } from '../io/clock.ts';
import { newToken } from '../io/token-file.ts';

const lifeMs = 10 * 60_000;
const most = 1_000;

/** Short-lived names for one thing each, for links that a browser opens in a tab of its own, where no header can carry the token. */
export interface Tickets {
  readonly issue: (what: string) => string;
  /** Null when the ticket is unknown or has run out. */
  readonly redeem: (ticket: string) => string | null;
}

export function createTickets(clock: Clock): Tickets {
  const open = new Map<string, { what: string; until: number }>();
  return {
    issue: (what) => {
      const oldest = open.keys().next();
      if (open.size >= most && !oldest.done) open.delete(oldest.value);
      const ticket = newToken();
      open.set(ticket, { what, until: clock.now() + lifeMs });
      return ticket;
    },
    redeem: (ticket) => {
      const found = open.get(ticket);
      return found && found.until > clock.now() ? found.what : null;
    },
  };
}
