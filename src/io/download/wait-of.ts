type Headers = Readonly<Record<string, string | string[] | undefined>>;

/** How long a server asks us to wait: seconds, or a date, as RFC 9110 (10.2.3) has it; 0 where it tells nothing. */
export function waitOf(headers: Headers, now: Date): number {
  const told = String(headers['retry-after'] ?? '').trim();
  const ms = /^\d{1,9}$/.test(told) ? Number(told) * 1000 : Date.parse(told) - now.getTime();
  return Number.isFinite(ms) ? Math.max(0, ms) : 0;
}

/** The same as a text of seconds; null where it tells nothing. */
export function secondsToWait(headers: Headers, now: Date): string | null {
  const seconds = Math.ceil(waitOf(headers, now) / 1000);
  return seconds > 0 ? String(seconds) : null;
}
