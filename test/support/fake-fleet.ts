import { randomBytes } from 'node:crypto';
import type { FleetStatus } from '../../src/domain/fleet-status.ts';
import { fakeEngine, makePlace, ownPorts } from './berth.ts';
import type { Place } from './berth.ts';

export interface FakeFleet {
  readonly place: Place;
  /** Writes the file; `deployments` by name, each with its keys as YAML in one line, beside those of a fake engine. */
  readonly write: (
    deployments: Readonly<Record<string, string>>,
    more?: {
      gateway?: string;
      slots?: Readonly<Record<string, number>>;
      /** Further words for the fake engine of a deployment. */
      modes?: Readonly<Record<string, readonly string[]>>;
      /** Further keys of the engine of a deployment. */
      engines?: Readonly<Record<string, string>>;
      startTimeout?: string;
      top?: string;
    },
  ) => void;
  readonly status: () => Promise<FleetStatus>;
  /** By name and replica: "a-0"; null for one that does not run. */
  readonly pids: () => Promise<Record<string, number | null>>;
  readonly close: () => Promise<void>;
}

/** A place for a fleet of fake engines that can run beside others on this machine. */
export function makeFakeFleet(): FakeFleet {
  const place = makePlace();
  const id = randomBytes(8).toString('hex');
  const hosts = ownPorts();
  async function status(): Promise<FleetStatus> {
    return (await place.berth('status', '--json')).json();
  }
  return {
    place,
    write: (
      deployments,
      { gateway = '', slots = {}, modes = {}, engines = {}, startTimeout = '20s', top = '' } = {},
    ) => {
      const lines = Object.entries(deployments).map(([name, keys]) => {
        const command = JSON.stringify([process.execPath, fakeEngine, '{port}', ...(modes[name] ?? [])]);
        const engine = `engine: {kind: command, command: ${command}, stopGrace: 2s, startTimeout: ${startTimeout}, slots: ${slots[name] ?? 2}${engines[name] ? `, ${engines[name]}` : ''}}`;
        return `  ${name}: {${keys === '' ? '' : `${keys}, `}${engine}}`;
      });
      place.write(
        [
          'version: 1',
          'fleet: lab',
          `id: "${id}"`,
          hosts,
          `gateway: {listen: ["127.0.0.1:0"]${gateway}}`,
          'console: {listen: "127.0.0.1:0"}',
          `deployments:${lines.length === 0 ? ' {}' : ''}`,
          ...lines,
          top,
        ].join('\n'),
      );
    },
    status,
    pids: async () =>
      Object.fromEntries(
        (await status()).deployments.flatMap((one) =>
          one.replicas.map((replica) => [`${one.name}-${replica.replica}`, replica.pid]),
        ),
      ),
    close: async () => {
      await place.berth('down');
      await place.close();
    },
  };
}
