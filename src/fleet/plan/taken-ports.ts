import { machineOf, thisMachine } from '../../domain/host-access.ts';
import type { LoadedFleet } from '../file/resolve.ts';
import { freePort } from './ports.ts';

/** Ports that are used, claimed, or were given away a moment ago, machine by machine. */
export class TakenPorts {
  readonly #loaded: LoadedFleet;
  readonly #usedPorts: (host: string) => ReadonlySet<number>;
  readonly #byMachine = new Map<string, Set<number>>();

  constructor(loaded: LoadedFleet, usedPorts: (host: string) => ReadonlySet<number>) {
    this.#loaded = loaded;
    this.#usedPorts = usedPorts;
  }

  of(host: string): Set<number> {
    const machine = machineOf(this.#loaded.hosts[host]);
    const known = this.#byMachine.get(machine);
    if (known) return known;
    const ports = new Set([...this.#usedPorts(host), ...claimedPorts(this.#loaded, host)]);
    this.#byMachine.set(machine, ports);
    return ports;
  }

  /** The lowest port of the host's pool that nobody has, which is then taken. Throws NO_FREE_PORT. */
  take(host: string): number {
    const port = freePort(host, this.#loaded.hosts[host], this.of(host));
    this.of(host).add(port);
    return port;
  }
}

/** Ports of a host that the file gives away by name. */
function claimedPorts({ hosts, gateway, console: page, deployments }: LoadedFleet, host: string): number[] {
  const machine = machineOf(hosts[host]);
  const doors = machine === thisMachine ? [...gateway.listen, page.listen].map((listen) => listen.port) : [];
  const there = deployments.filter((one) => machineOf(hosts[one.host]) === machine);
  return [...doors, ...there.flatMap((one) => one.port ?? [])];
}
