import { urlHost } from './url-host.ts';

/**
 * True when only this machine can reach an address to listen on. Whatever cannot be told, such as a name, counts as open to others.
 * Addresses are brought to their canonical form first: "127.1", "0:0:0:0:0:0:0:1" and "::ffff:127.0.0.1" are loopback too.
 */
export function isLoopback(address: string): boolean {
  const host = canonical(address);
  // A name below .localhost could be resolved to anything; "localhost" itself may not (RFC 6761, 6.3).
  return host === 'localhost' || host === '[::1]' || isIpv4Loopback(host) || isMappedLoopback(host);
}

/** "127.0.0.1" for all its spellings; IPv6 in brackets; "" for what is neither address nor name. */
function canonical(address: string): string {
  const url = `http://${urlHost(address)}/`;
  return URL.canParse(url) ? new URL(url).hostname : '';
}

function isIpv4Loopback(host: string): boolean {
  return /^127\.\d+\.\d+\.\d+$/.test(host);
}

/** 127.0.0.0/8 within ::ffff:0:0/96, as a URL writes it. */
function isMappedLoopback(host: string): boolean {
  return /^\[::ffff:7f[0-9a-f]{2}:[0-9a-f]{1,4}\]$/.test(host);
}
