import { BlockList, isIP } from 'node:net';
import { BerthError } from '../domain/errors/berth-error.ts';
import { isLoopback } from '../domain/loopback.ts';

type Variables = Readonly<Record<string, string | undefined>>;

/**
 * Address of the proxy that the variables name for this URL; null: it is asked directly, as this machine itself always is. The
 * address may hold a password. Throws PROXY_UNUSABLE.
 */
export function proxyFor(env: Variables, url: string): string | null {
  const { protocol, hostname, port } = new URL(url);
  const own = stated(env, protocol === 'https:' ? 'HTTPS_PROXY' : 'HTTP_PROXY');
  const [name, value] = own[1] === null ? stated(env, 'ALL_PROXY') : own;
  if (value === null) return null;
  const host = hostname.replace(/^\[|\]$/g, '');
  const excepted = (stated(env, 'NO_PROXY')[1] ?? '').split(/[\s,]+/);
  if (isLoopback(host) || excepted.some((entry) => covers(entry, host, port || defaultPorts[protocol])))
    return null;
  const address = /^[a-z][a-z0-9+.-]*:\/\//i.test(value) ? value : `http://${value}`;
  const read = URL.canParse(address) ? new URL(address) : null;
  if (read === null) throw new BerthError('PROXY_UNUSABLE', { name, reason: 'holds no address' });
  if (!['http:', 'https:'].includes(read.protocol))
    throw new BerthError('PROXY_UNUSABLE', { name, reason: `names a proxy that speaks ${read.protocol}` });
  return read.href;
}

const defaultPorts: Readonly<Record<string, string>> = { 'http:': '80', 'https:': '443' };

/** Lower case comes first, as curl has it. */
function stated(env: Variables, name: string): [name: string, value: string | null] {
  const found = [name.toLowerCase(), name].find((one) => env[one]?.trim());
  return [found ?? name, found === undefined ? null : (env[found]?.trim() ?? null)];
}

/** One entry of NO_PROXY: "*", a host, a domain with all below it, an address or a range of them; each may have a port. */
function covers(entry: string, host: string, port: string | undefined): boolean {
  if (entry === '*') return true;
  const [name, wanted] = namedIn(entry);
  if (name === '' || (wanted !== undefined && wanted !== port)) return false;
  if (name.includes('/')) return inRange(name, host);
  const domain = name.replace(/^\*?\./, '').toLowerCase();
  return host === domain || (isIP(host) === 0 && host.endsWith(`.${domain}`));
}

function namedIn(entry: string): [name: string, port: string | undefined] {
  if (isIP(entry) === 6 || entry.includes('/')) return [entry, undefined];
  const [, inBrackets, name = '', port] = /^(?:\[([^\]]*)\]|([^:]*))(?::(\d+))?$/.exec(entry) ?? [];
  return [inBrackets ?? name, port];
}

function inRange(range: string, host: string): boolean {
  const [net = '', bits = ''] = range.split('/');
  const family = isIP(net) === 6 ? 'ipv6' : 'ipv4';
  if (isIP(net) === 0 || isIP(net) !== isIP(host) || !/^\d{1,3}$/.test(bits)) return false;
  if (Number(bits) > (family === 'ipv6' ? 128 : 32)) return false;
  const list = new BlockList();
  list.addSubnet(net, Number(bits), family);
  return list.check(host, family);
}
