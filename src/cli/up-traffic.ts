import { z } from 'zod';
import { BerthError } from '../domain/errors/berth-error.ts';
import { Moved } from '../domain/gateway-control.ts';
import { parseJson } from '../domain/json.ts';
import { goesByApplied } from '../fleet/file/applied-files.ts';
import type { FleetIdentity } from '../fleet/file/paths.ts';
import type { SourceFile } from '../fleet/file/sources.ts';
import { noTraffic } from '../fleet/apply/traffic.ts';
import type { Traffic, TrafficStep } from '../fleet/apply/traffic.ts';
import { tellSlow } from '../fleet/observe/tell-slow.ts';
import { readUpState } from '../fleet/up/up-state.ts';
import { tokenOfFile } from '../io/token-file.ts';
import { consoleTokenFile } from './console-address.ts';
import type { CliContext } from './context.ts';

const Refused = z.object({ error: z.object({ message: z.string() }) });

/** Other gateways are waited for as well. */
const shiftMs = 90_000;

/**
 * Moves the traffic of this fleet's running `berth up` by its control API; nothing where none runs. `files`: what is changed goes by
 * these; where they are those that were last applied, what is wrong with the fleet file itself keeps nothing from being followed.
 */
export async function trafficOfUp(
  context: CliContext,
  fleet: FleetIdentity,
  files: readonly SourceFile[],
): Promise<Traffic> {
  const { world, output } = context;
  const state = await readUpState(world, fleet);
  const control = state?.console?.url;
  if (state === null || control === undefined) return noTraffic;
  const { pid } = state.process;
  const token = await tokenOfFile(world.files, consoleTokenFile(world, fleet));
  const despiteFaults = goesByApplied(world, fleet, files);
  return async (asked) => {
    const step: TrafficStep = despiteFaults && asked.do === 'shift' ? { ...asked, despiteFaults } : asked;
    const asking = ask(context, { url: `${control}/api/traffic`, token, step });
    const { status, text } = await tellSlow(world.clock, asking, () =>
      output.progress(`Waiting for berth up (process ${pid}) to ${wordsOf(step)}`),
    );
    if (status === 200) return Moved.parse(JSON.parse(text));
    const reason = Refused.safeParse(parseJson(text)).data?.error.message ?? `it answered ${status}`;
    throw new BerthError(step.do === 'shift' ? 'UP_NOT_FOLLOWING' : 'GATEWAY_REFUSED', { reason });
  };
}

function wordsOf({ do: what }: TrafficStep): string {
  if (what === 'shift') return 'take in what runs now';
  return what === 'drain' ? 'let requests end' : 'move requests';
}

async function ask(
  { world, signal }: CliContext,
  { url, token, step }: { url: string; token: string; step: TrafficStep },
): Promise<{ status: number; text: string }> {
  try {
    return await world.http.request(url, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify(step),
      timeoutMs: 'forMs' in step ? step.forMs : shiftMs,
      // Whoever interrupts waits for no request to end, but what was held must be let in again.
      ...(isGivenUp(step) ? { signal } : {}),
    });
  } catch (error) {
    if (isGivenUp(step)) signal.throwIfAborted();
    const reason = error instanceof Error ? error.message : String(error);
    throw new BerthError('UP_NOT_FOLLOWING', { reason }, { cause: error });
  }
}

function isGivenUp(step: TrafficStep): boolean {
  return step.do === 'drain' && !step.calm;
}
