import { BerthError } from '../domain/errors/berth-error.ts';
import type { Inbound } from '../io/http-server/types.ts';
import { sameToken } from './token.ts';

/** The part of a request that is looked at: its headers, by lower-case name. */
type Asked = Pick<Inbound, 'header'>;

export interface OwnNames {
  /** The address that the server listens on. */
  readonly address: string;
  /** More names that people reach the server by (a reverse proxy's). */
  readonly hostNames: readonly string[];
}

const loopbackNames = ['localhost', '127.0.0.1', '[::1]'];
const wildcards = ['0.0.0.0', '::'];

/**
 * Null when the request comes from a page of ours or from a program.
 * A foreign page can reach a loopback port by letting its own name resolve to 127.0.0.1; the name in Host gives it away.
 * The port in Host is free, so that a forwarded port works. On a wildcard address every address literal passes: a literal cannot be re-bound.
 */
export function originRefusal(asked: Asked, names: OwnNames): BerthError | null {
  const host = (asked.header('host') ?? '').toLowerCase();
  if (!isOwnName(host.replace(/:\d+$/, ''), names)) return new BerthError('CONTROL_HOST_REFUSED', { host });
  const origin = asked.header('origin');
  if (origin === undefined || hostOfOrigin(origin) === host) return null;
  return new BerthError('CONTROL_ORIGIN_REFUSED', { origin });
}

/** Null when the request carries the token. Asked of the API alone: the page's own files hold no secret and come before the token is known. */
export function tokenRefusal(asked: Asked, token: string): BerthError | null {
  const given = /^Bearer (\S+)$/i.exec(asked.header('authorization') ?? '')?.[1];
  if (given === undefined) return new BerthError('CONTROL_TOKEN_REFUSED', { given: 'none' });
  return sameToken(given, token) ? null : new BerthError('CONTROL_TOKEN_REFUSED', { given: 'wrong' });
}

function isOwnName(name: string, names: OwnNames): boolean {
  if (loopbackNames.includes(name) || names.hostNames.includes(name)) return true;
  if (wildcards.includes(names.address)) return /^(\d+\.\d+\.\d+\.\d+|\[[0-9a-f:.]+\])$/.test(name);
  return name === names.address || name === `[${names.address}]`;
}

function hostOfOrigin(origin: string): string | null {
  return /^https?:\/\/([^/]+)$/i.exec(origin)?.[1]?.toLowerCase() ?? null;
}
