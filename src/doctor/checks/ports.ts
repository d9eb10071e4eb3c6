import { basename } from 'node:path';
import { readOwnNetns, readProcessTable } from '../../io/procfs.ts';
import { readListeners } from '../../io/procfs/listeners.ts';
import { bad, defineCheck, good } from '../contract.ts';
import type { Verdict } from '../contract.ts';

interface Facts {
  readonly listeners: readonly {
    readonly address: string;
    readonly port: number;
    /** "process 12 (nginx)", or whose it is where that is hidden. */
    readonly holder: string;
    /** Berth's own gateway, console or engine. */
    readonly ours: boolean;
  }[];
  /** Ports that the kernel gives to clients. */
  readonly clients: { readonly from: number; readonly to: number } | null;
  /** Ports among these that it keeps back, as "30000-30100,40000". */
  readonly reserved: string;
}

export const ports = defineCheck<'ports', Facts>({
  kind: 'ports',
  title: 'Ports',
  gather: async (world) => {
    const proc = await world.procfs();
    const table = readProcessTable(proc);
    const own = readOwnNetns(proc);
    const range = (await world.files.read(`${world.proc}/sys/net/ipv4/ip_local_port_range`))?.trim();
    const [from, to] = range?.split(/\s+/).map(Number) ?? [];
    const reserved = await world.files.read(`${world.proc}/sys/net/ipv4/ip_local_reserved_ports`);
    return {
      reserved: reserved?.trim() ?? '',
      clients: from !== undefined && to !== undefined ? { from, to } : null,
      listeners: readListeners(proc, table)
        .filter(({ netns }) => own === 'own' || netns === own)
        .map(({ address, port, pids, uid }) => {
          const entry = pids[0] === undefined ? undefined : table.processes.get(pids[0]);
          const name = basename(entry?.exe ?? entry?.argv[0] ?? 'unknown program');
          return {
            address,
            port,
            holder: entry ? `process ${entry.pid} (${name})` : `a process of another user (uid ${uid})`,
            ours: /[/](bin[/]berth\.js|programs[/]\w[\w-]*\.[jt]s)(\0| |$)/.test(entry?.argv.join(' ') ?? ''),
          };
        }),
    };
  },
  judge: ({ listeners, clients, reserved }, wants) => {
    const held = wants.ports.flatMap(({ port, address, what }): Verdict[] => {
      const holder = listeners.find((one) => one.port === port && meet(one.address, address) && !one.ours);
      if (!holder) return [];
      return [
        bad('warning', `Port ${port} of ${what} is held by ${holder.holder}.`, {
          evidence: [`${holder.address}:${port}`],
          cure: `Right where that is ${what} itself ("berth status" tells); else stop it, or name another port in the fleet file.`,
        }),
      ];
    });
    const { from, to } = wants.pool;
    const kept = rangesOf(reserved);
    const clash =
      clients !== null && openBetween(Math.max(from, clients.from), Math.min(to, clients.to), kept);
    // One port can be listened on several times: for both kinds of address, or by several processes.
    const busy = new Set(listeners.map(({ port }) => port).filter((port) => port >= from && port <= to)).size;
    const free = to - from + 1 - busy;
    return [
      ...held,
      ...(clash
        ? [
            bad(
              'warning',
              'Engines get ports that the kernel also gives to clients: one may be taken when an engine starts again.',
              {
                evidence: [`pool ${from}-${to}`, `ip_local_port_range ${clients.from} ${clients.to}`],
                cure: `Name other ports under hosts (hosts.*.ports), or: sudo sysctl -w net.ipv4.ip_local_reserved_ports=${from}-${to}`,
              },
            ),
          ]
        : []),
      free <= 0
        ? bad('critical', `No port from ${from} to ${to} is free.`, {
            evidence: [`${busy} of them are listened on`],
            cure: 'Widen hosts.*.ports in the fleet file.',
          })
        : good(`${free} of ${to - from + 1} ports for engines are free.`, [`pool ${from}-${to}`]),
    ];
  },
});

interface Range {
  readonly from: number;
  readonly to: number;
}

function rangesOf(text: string): Range[] {
  return [...text.matchAll(/(\d+)(?:-(\d+))?/g)].map(([, from, to]) => ({
    from: Number(from),
    to: Number(to ?? from),
  }));
}

/** Whether a port of these is in none of the ranges. */
function openBetween(from: number, to: number, kept: readonly Range[]): boolean {
  for (let port = from; port <= to; port += 1)
    if (!kept.some((range) => port >= range.from && port <= range.to)) return true;
  return false;
}

function meet(a: string, b: string): boolean {
  return a === b || [a, b].some((one) => one === '0.0.0.0' || one === '::');
}
