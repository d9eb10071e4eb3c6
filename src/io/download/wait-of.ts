import type http from 'node:http';

/** How long a server asks us to wait: seconds, or a date, as RFC 9110 (10.2.3) has it; 0 where it tells nothing. */
export function waitOf(headers: http.IncomingHttpHeaders, now: Date): number {
  const told = headers['retry-after']?.trim() ?? '';
  const ms = /^\d{1,9}$/.test(told) ? Number(told) * 1000 : Date.parse(told) - now.getTime();
  return Number.isFinite(ms) ? Math.max(0, ms) : 0;
}
