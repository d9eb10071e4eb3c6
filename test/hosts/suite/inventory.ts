import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Sockets that listen, of /proc/net/tcp: "listener ADDRESS:PORT". */
export function listenersIn(table: string): string[] {
  return table.split('\n').flatMap((line) => {
    const [, local = '', , state] = line.trim().split(/\s+/);
    if (state !== '0A') return [];
    const [address = '', port = ''] = local.split(':');
    return [`listener ${address}:${Number.parseInt(port, 16)}`];
  });
}

/** Files below a folder, sorted, without those that are kept on purpose. */
export function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => `file ${join(entry.parentPath, entry.name)}`)
    .filter((line) => !isKept(line))
    .toSorted();
}

/** Logs of engines and gateway, the journal, and what ran in each place before. */
export function isKept(line: string): boolean {
  return /\.log$|\/ran\/|\/journal/.test(line);
}

/** All ports of a range that a line of the fleet file gives: "ports: FROM-TO". */
export function portsIn(line: string): number[] {
  const [from = 0, to = 0] = (/(\d+)-(\d+)/.exec(line) ?? []).slice(1).map(Number);
  return Array.from({ length: to - from + 1 }, (_, at) => from + at);
}

export function isAmong(listener: string, ports: readonly number[]): boolean {
  return ports.includes(Number(listener.split(':').at(-1)));
}

/** Processes of the suite's model on one of these ports, in whatever namespace. */
export function enginesAt(ports: readonly number[]): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => {
      try {
        const words = Number.isInteger(pid) ? readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0') : [];
        const port = Number(words[words.indexOf('--port') + 1]);
        return words.includes('/models/toy.gguf') && ports.includes(port);
      } catch {
        return false;
      }
    });
}

/** What runs on this machine out of that folder, or with a mark or a setting that names it: engines, gateways, ways to other machines. */
export function processesOf(folder: string): string[] {
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name) || Number(name) === process.pid) return [];
    try {
      const words = readFileSync(join('/proc', name, 'cmdline'), 'utf8');
      const environ = readFileSync(join('/proc', name, 'environ'), 'utf8');
      return `${words}${environ}`.includes(folder) ? [`process ${words.replaceAll('\0', ' ')}`] : [];
    } catch {
      return [];
    }
  });
}
