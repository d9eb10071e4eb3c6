import type { Moved } from '../../domain/gateway-control.ts';
import type { GatewayReload, Plan } from '../../domain/plan.ts';
import type { World } from '../../io/world.ts';
import { bestEffort } from './best-effort.ts';
import type { MovedAside } from './best-effort.ts';
import { openJournal, planId } from './journal.ts';
import { noTraffic } from './traffic.ts';
import type { Traffic, TrafficStep } from './traffic.ts';

/** Whether the gateway has taken in the file: it has from the first `shift` on that did not fail, and that one the journal has. */
export function takingOver(
  world: World,
  plan: Plan,
  options: MovedAside & { readonly command: string; readonly planId?: string },
): { traffic: Traffic; taken: () => GatewayReload | null } {
  const { reload } = plan;
  let taken: GatewayReload | null = null;
  async function traffic(step: TrafficStep): Promise<Moved> {
    const isFirst = step.do === 'shift' && options.traffic !== noTraffic && taken === null;
    if (!isFirst || reload?.do !== 'reload') return options.traffic(step);
    const { command, planId: id = planId(plan) } = options;
    const reasons = reload.reasons.map(({ text }) => text);
    const of = { host: null, deployment: null, replica: null, object: `gateway ${reload.url}` };
    let moved: Moved = { left: 0 };
    await openJournal(world, plan, { command, plan: id }).record(
      { do: 'reload', ...of, reasons },
      async () => {
        moved = await options.traffic(step);
        return null;
      },
    );
    taken = reload;
    return moved;
  }
  return { traffic: bestEffort({ ...options, traffic }), taken: () => taken };
}
