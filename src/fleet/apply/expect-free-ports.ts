import { BerthError } from '../../domain/errors/berth-error.ts';
import type { World } from '../../io/world.ts';
import { holderOf, observe } from '../observe/observe.ts';
import type { LoadedFleet } from '../file/resolve.ts';

/** Told before any engine is started, with the holder's name. Throws PORT_TAKEN. */
export async function expectFreePorts(world: World, { gateway, console: page }: LoadedFleet): Promise<void> {
  const observed = await observe(world);
  for (const listen of [...gateway.listen, page.listen]) {
    const holder = listen.port === 0 ? null : holderOf(observed, listen);
    if (holder) throw new BerthError('PORT_TAKEN', { ...listen, holder: holder.text });
  }
}
