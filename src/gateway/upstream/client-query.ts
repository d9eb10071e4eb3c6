import type { Inbound } from '../../io/http-server/types.ts';

/** Where clients of other servers put their key. */
const secretNames = new Set([
  'api_key',
  'api-key',
  'apikey',
  'x-api-key',
  'x-goog-api-key',
  'access_token',
  'auth_token',
]);

/** A path with its query, byte for byte but for parameters that hold a key of the client's: by their name, or as it has shown it in a header. */
export function withoutKeys(target: string, inbound: Pick<Inbound, 'header'>): string {
  const at = target.indexOf('?');
  if (at < 0) return target;
  const shown = shownKeys(inbound);
  const parts = target.slice(at + 1).split('&');
  const kept = parts.filter((part) => !holdsKey(part, shown));
  if (kept.length === parts.length) return target;
  return target.slice(0, at) + (kept.length > 0 ? `?${kept.join('&')}` : '');
}

function holdsKey(part: string, shown: readonly string[]): boolean {
  // Decodes as servers do, and never throws.
  for (const [name, value] of new URLSearchParams(part))
    if (secretNames.has(name.toLowerCase()) || shown.includes(value)) return true;
  return false;
}

function shownKeys(inbound: Pick<Inbound, 'header'>): string[] {
  const bearer = inbound.header('authorization')?.replace(/^Bearer +/i, '');
  return [bearer, inbound.header('x-api-key')].flatMap((key) => key?.trim() || []);
}
