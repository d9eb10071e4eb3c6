import { isIPv4 } from 'node:net';

/** Where a server listens that is told this: llama-server and most others on loopback, vLLM on all addresses. */
export function listenAddress(host: string | null, engine: string): string {
  if (host === null || host === '') return engine === 'vllm' ? '0.0.0.0' : '127.0.0.1';
  return host === 'localhost' ? '127.0.0.1' : host;
}

/** Whether two sockets on one port would be in each other's way. "::" takes those of version 4 too. */
export function meet(a: string, b: string): boolean {
  if (a === b || a === '::' || b === '::') return true;
  return (a === '0.0.0.0' && isIPv4(b)) || (b === '0.0.0.0' && isIPv4(a));
}
