/** An address as the host of a URL: those of IPv6 stand in brackets. */
export function urlHost(address: string): string {
  return address.includes(':') ? `[${address}]` : address;
}

/** The same for a client on this machine, of an address that is listened on: all of them have one of its own. */
export function urlHostHere(address: string): string {
  if (address === '0.0.0.0') return '127.0.0.1';
  return urlHost(address === '::' ? '::1' : address);
}
