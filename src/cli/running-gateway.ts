import { z } from 'zod';
import { parseJson } from '../domain/json.ts';
import { KeySpent } from '../domain/key-usage.ts';
import type { FleetIdentity } from '../fleet/file/paths.ts';
import { readUpState } from '../fleet/up/up-state.ts';
import { tokenOfFile } from '../io/token-file.ts';
import type { World } from '../io/world.ts';
import { consoleTokenFile } from './console-address.ts';

const timeoutMs = 15_000;
const spendingMs = 3_000;

/** `none`: no gateway runs. `kept`: it runs and has not taken the change in, for this reason. */
export type Taken = { readonly by: 'gateway' | 'none' } | { readonly by: 'kept'; readonly reason: string };

/** Has the gateway of a running `berth up` take in the file of keys; it does so at once, without dropping a request. */
export async function takeInKeys(world: World, fleet: FleetIdentity): Promise<Taken> {
  const state = await readUpState(world, fleet);
  if (!state) return { by: 'none' };
  if (!state.console) return { by: 'kept', reason: 'its control API is not open.' };
  const token = await tokenOfFile(world.files, consoleTokenFile(world, fleet));
  try {
    const { status, text } = await world.http.request(`${state.console.url}/api/keys/take-in`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
      timeoutMs,
    });
    return status === 200 ? { by: 'gateway' } : { by: 'kept', reason: reasonIn(text) ?? `status ${status}.` };
  } catch (error) {
    return { by: 'kept', reason: error instanceof Error ? error.message : String(error) };
  }
}

/** What keys have used of their budgets; or why that is not known, as the end of a sentence. */
export type Spending = { readonly spent: readonly KeySpent[] } | { readonly unknown: string };

const Told = z.object({ spent: z.array(KeySpent) });

/** Asks the running `berth up`, whose gateway counts it. */
export async function spendingOf(world: World, fleet: FleetIdentity): Promise<Spending> {
  const state = await readUpState(world, fleet);
  if (!state?.gateway) return { unknown: 'no gateway runs' };
  if (!state.console) return { unknown: 'the control API of "berth up" is not open' };
  const token = await tokenOfFile(world.files, consoleTokenFile(world, fleet));
  const headers = { authorization: `Bearer ${token}` };
  const reply = await world.http
    .request(`${state.console.url}/api/keys/usage`, { headers, timeoutMs: spendingMs })
    .catch(() => null);
  const told = reply?.status === 200 ? Told.safeParse(parseJson(reply.text)).data : undefined;
  return told ?? { unknown: 'the running gateway does not answer' };
}

function reasonIn(text: string): string | null {
  try {
    const { error } = JSON.parse(text) as { error?: { message?: unknown } };
    return typeof error?.message === 'string' ? error.message : null;
  } catch {
    return null;
  }
}
