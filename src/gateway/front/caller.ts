import type { ClientKey } from '../../domain/client-key.ts';
import type { KeyLimits } from '../../domain/key-limits.ts';

/** Who sends a request, as the key tells. Made once for each key and snapshot: it may be compared by identity. */
export interface Caller {
  readonly id: string;
  readonly name: string;
  /** Null: all. */
  readonly models: ReadonlySet<string> | null;
  /** Null: all. */
  readonly endpoints: ReadonlySet<string> | null;
  readonly control: boolean;
  readonly limits: KeyLimits | null;
  /** Milliseconds since 1970; Infinity for a key that does not expire. */
  readonly expiresAt: number;
}

/** Whoever shows no key where none is wanted. */
export const anonymous: Caller = {
  id: 'anonymous',
  name: 'anonymous',
  models: null,
  endpoints: null,
  control: false,
  limits: null,
  expiresAt: Infinity,
};

export function callerOf(key: ClientKey): Caller {
  return {
    id: key.id,
    name: key.name,
    models: key.models ? new Set(key.models) : null,
    endpoints: key.endpoints ? new Set(key.endpoints) : null,
    control: key.control ?? false,
    limits: key.limits ?? null,
    expiresAt: key.expiresAt === undefined ? Infinity : Date.parse(key.expiresAt),
  };
}

/** Of an endpoint with several names one covers all. */
export function mayUse({ endpoints }: Caller, endpoint: { readonly same: readonly string[] }): boolean {
  return endpoints === null || endpoint.same.some((path) => endpoints.has(path));
}

/** An alias is covered by the name that it stands for. */
export function mayAskFor(
  { models }: Caller,
  route: { readonly name: string; readonly aliasOf: string | null },
): boolean {
  return models === null || models.has(route.name) || (route.aliasOf !== null && models.has(route.aliasOf));
}
