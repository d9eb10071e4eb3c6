const loopback = '127.0.0.1';

/** Where engines listen that are told nothing. */
const usual: Readonly<Record<string, string>> = {
  'llama.cpp': loopback,
  'llama-router': loopback,
  ollama: loopback,
  sglang: loopback,
  embedded: loopback,
  vllm: '0.0.0.0',
  tgi: '0.0.0.0',
};

/** Where a server listens that is told this; "*" where that is not known, and may be anywhere. */
export function listenAddress(host: string | null, engine: string): string {
  if (host === null || host === '') return usual[engine] ?? '*';
  return host === 'localhost' ? loopback : host;
}

/** Whether two sockets on one port would be in each other's way. "::" takes those of version 4 too; a name may be of any address. */
export function meet(a: string, b: string): boolean {
  if (a === b || [a, b].some((one) => one === '::' || one === '*')) return true;
  return (a === '0.0.0.0' && ipVersion(b) !== 6) || (b === '0.0.0.0' && ipVersion(a) !== 6);
}

/** Of an address; 0 where it is a name. */
export function ipVersion(address: string): 0 | 4 | 6 {
  if (address.includes(':')) return 6;
  return /^\d{1,3}(\.\d{1,3}){3}$/.test(address) ? 4 : 0;
}
