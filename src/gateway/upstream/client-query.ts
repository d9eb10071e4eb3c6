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
  if (!target.includes('?')) return target;
  const shown = shownKeys(inbound);
  return without(target, (name, value) => secretNames.has(name) || shown.includes(value));
}

/** The same but for a model: some servers take that of the query in place of that of the body, which it was judged by and routed by. */
export function withoutModel(target: string): string {
  return without(target, (name) => name === 'model');
}

/** `drops`: by its name in small letters, and its value. */
function without(target: string, drops: (name: string, value: string) => boolean): string {
  const at = target.indexOf('?');
  if (at < 0) return target;
  const parts = target.slice(at + 1).split('&');
  const kept = parts.filter((part) => !isDropped(part, drops));
  if (kept.length === parts.length) return target;
  return target.slice(0, at) + (kept.length > 0 ? `?${kept.join('&')}` : '');
}

function isDropped(part: string, drops: (name: string, value: string) => boolean): boolean {
  // Decodes as servers do, and never throws. Some servers take a semicolon for the end of a parameter.
  for (const [name, value] of new URLSearchParams(part.replaceAll(';', '&')))
    if (drops(name.toLowerCase(), value)) return true;
  return false;
}

function shownKeys(inbound: Pick<Inbound, 'header'>): string[] {
  const bearer = inbound.header('authorization')?.replace(/^Bearer +/i, '');
  return [bearer, inbound.header('x-api-key')].flatMap((key) => key?.trim() || []);
}
