import type { GatewayConfig } from '../../domain/gateway-config.ts';
import type { World } from '../../io/world.ts';
import { readCertificate, watchCertificate } from './certificate.ts';
import type { Certificate } from './certificate.ts';
import { openDoors } from './doors.ts';
import type { Doors, DoorWish, Handlers } from './doors.ts';

/** The doors of the gateway with the certificate that they show. */
export interface Front {
  readonly bound: Doors['bound'];
  /** As `Doors.change`, with what the config says of addresses and TLS. Rejects with TLS_UNUSABLE too, before anything has changed. */
  readonly change: (next: GatewayConfig, commit: () => Promise<void>) => Promise<void>;
  readonly close: (graceMs: number) => Promise<void>;
}

/** Opens all doors or none, and follows the files of the certificate. Rejects with PORT_TAKEN, TLS_UNUSABLE. */
export async function openFront(
  world: Pick<World, 'files' | 'log' | 'clock'>,
  config: GatewayConfig,
  handlers: Handlers,
): Promise<Front> {
  let certificate = await readCertificate(world, config.tls);
  const doors = await openDoors(wishesOf(config, certificate), handlers);
  const closing = new AbortController();
  const held = {
    get: () => certificate,
    set: (next: Certificate) => {
      certificate = next;
      doors.renewTls(next.material);
    },
  };
  void watchCertificate(world, held, closing.signal);
  return {
    bound: doors.bound,
    change: async (next, commit) => {
      const read = await readCertificate(world, next.tls);
      await doors.change(wishesOf(next, read), next.limits.drainMs, commit);
      certificate = read;
    },
    close: (graceMs) => {
      closing.abort();
      return doors.close(graceMs);
    },
  };
}

function wishesOf(config: GatewayConfig, certificate: Certificate | null): DoorWish[] {
  return config.listen.map((one) => ({ ...one, tls: one.inside ? null : (certificate?.material ?? null) }));
}
