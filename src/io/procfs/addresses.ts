import { readText } from './read.ts';
import type { Procfs } from './read.ts';

/** IPv4 addresses of the network namespace that a process lives in, loopback left out; empty when rights hide them. */
export function readAddresses(proc: Procfs, pid: number): Set<string> {
  const lines = (readText(proc, `${pid}/net/fib_trie`) ?? '').split('\n');
  const addresses = new Set<string>();
  // The kernel prints an address in one line and what it is in the next.
  lines.forEach((line, at) => {
    const address = /\|-- ([\d.]+)$/.exec(line)?.[1];
    if (address !== undefined && /\/32 host LOCAL/.test(lines[at + 1] ?? '')) addresses.add(address);
  });
  for (const address of addresses) if (address.startsWith('127.')) addresses.delete(address);
  return addresses;
}
