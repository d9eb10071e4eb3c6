import type { Endpoint } from '../../domain/endpoints.ts';
import type { ApiError } from '../../domain/openai.ts';
import { badRequest } from '../reply/faults.ts';

export const upstreamPrefix = '/upstream/';

/** A request that goes to the engine of one model as it is, whatever the path: `/upstream/MODEL/PATH`. */
export interface Exact {
  /** Name of the route. */
  readonly model: string;
  /** Path and query for the engine. */
  readonly target: string;
  /** The same with a slash behind the name, seen from here, where the path ends with the name; else null. */
  readonly slashed: string | null;
}

/** How such requests are counted. */
export const upstreamEndpoint: Endpoint = {
  path: '/upstream',
  what: 'Any path of an engine',
  operation: 'upstream',
  body: 'json',
  modelOptional: false,
  usageInStream: false,
  dialect: 'openai',
  same: [],
};

/** A target without its query. */
export function withoutQuery(target: string): string {
  return target.split('?', 1)[0] ?? '';
}

/**
 * The model and the rest of a URL below `/upstream/`. Names may hold slashes, so that the longest that is known counts; where none is,
 * the first part is taken, to be refused by its name. Throws ApiError 400 for dot segments (RFC 3986, 3.3) in the rest, and for what
 * servers read in different ways, since the path that is judged here must be the one that the engine sees.
 */
export function exactOf(url: string, isKnown: (name: string) => boolean): Exact {
  if (url.includes('#')) throw pathInvalid('must not hold "#", which is written %23');
  const query = url.indexOf('?');
  const path = query < 0 ? url : url.slice(0, query);
  const parts = path.slice(upstreamPrefix.length).split('/');
  const counts = parts.map((_, i) => parts.length - i);
  const count = counts.find((n) => isKnown(decoded(parts.slice(0, n)))) ?? 1;
  const rest = parts.slice(count);
  // Some servers read "%u0073" too.
  if (rest.some((part) => /%(?![\da-f]{2})/i.test(part)))
    throw pathInvalid('must have two hexadecimal digits after each "%"');
  // They would lead out of the path that the engine's URL begins with.
  if (rest.some(isDots)) throw pathInvalid('must not hold "." or ".." segments');
  // Relative, so that it holds behind a proxy with a prefix; "./" since a name may have a colon.
  const slashed = parts.length === count ? `./${parts.at(-1)}/${query < 0 ? '' : url.slice(query)}` : null;
  return {
    slashed,
    model: decoded(parts.slice(0, count)),
    target: `/${rest.join('/')}${query < 0 ? '' : url.slice(query)}`,
  };
}

/** Servers may take a backslash, or an encoded slash, for the end of a segment. */
function isDots(part: string): boolean {
  return decoded([part])
    .split(/[/\\]/)
    .some((segment) => segment === '.' || segment === '..');
}

function pathInvalid(fault: string): ApiError {
  return badRequest(`A path below /upstream/MODEL/ ${fault}.`, null, 'path_invalid');
}

/** Parts of a path, joined; as they stand where they are no UTF-8. */
export function decoded(parts: readonly string[]): string {
  const text = parts.join('/');
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
