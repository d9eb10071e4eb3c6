import type { Call } from '../front/call.ts';

/** What the engine gets is to be read as it was read here. */
export function isReadAsJson({ body, endpoint, exact }: Call): boolean {
  return body !== null && !exact && endpoint.body === 'json';
}
