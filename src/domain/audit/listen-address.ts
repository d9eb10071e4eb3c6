/** Where a server listens that is told this: llama-server and most others on loopback, vLLM on all addresses. */
export function listenAddress(host: string | null, engine: string): string {
  if (host === null || host === '') return engine === 'vllm' ? '0.0.0.0' : '127.0.0.1';
  return host === 'localhost' ? '127.0.0.1' : host;
}

/** Whether two sockets on one port would be in each other's way. "::" takes those of version 4 too. */
export function meet(a: string, b: string): boolean {
  if (a === b || a === '::' || b === '::') return true;
  return (a === '0.0.0.0' && ipVersion(b) === 4) || (b === '0.0.0.0' && ipVersion(a) === 4);
}

/** Of an address; 0 where it is a name. */
export function ipVersion(address: string): 0 | 4 | 6 {
  if (address.includes(':')) return 6;
  return /^\d{1,3}(\.\d{1,3}){3}$/.test(address) ? 4 : 0;
}
