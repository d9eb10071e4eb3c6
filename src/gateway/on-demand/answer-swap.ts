import { lastLines, followLines } from '../../io/log-file.ts';
import { systemClock } from '../../io/clock.ts';
import type { Inbound, Reply } from '../../io/http-server/types.ts';
import { anonymous } from '../front/caller.ts';
import { methodFault } from '../front/endpoints.ts';
import { noteServed } from '../front/own-answers.ts';
import { sendOwn } from '../reply/send-own.ts';
import type { GatewayState } from '../state.ts';
import { logFilesOf, runningModels, swapMethods, unloadModels } from './swap-paths.ts';
import type { SwapAsk } from './swap-paths.ts';
import { isOwnModel, unloadOwn } from './unload-own.ts';

const shownLines = 200;

/**
 * Answers `/running`, `/unload` and `/logs`, for keys that may control; the first, which changes nothing, for everybody where requests
 * want no key. Rejects with ApiError.
 */
export async function answerSwap(
  state: GatewayState,
  ask: SwapAsk,
  { inbound, reply, requestId }: { inbound: Inbound; reply: Reply; requestId: string },
): Promise<void> {
  const methods = swapMethods[ask.kind];
  if (!methods.includes(inbound.method)) throw methodFault(inbound.method, inbound.url, methods.join(', '));
  const { config, keyring } = state.snapshot;
  const caller = ask.kind !== 'running' || !config.anonymous ? keyring.requireControl(inbound) : anonymous;
  function note(): void {
    noteServed(state, inbound, requestId, caller.id);
  }
  switch (ask.kind) {
    case 'running':
      sendJson(reply, runningModels(state), requestId);
      return note();
    case 'unload':
      sendJson(reply, await unload(state, ask.model), requestId);
      return note();
    case 'logs': {
      const files = logFilesOf(state, ask.model);
      note();
      return await sendLogs(reply, files, { ...ask, inbound, requestId });
    }
  }
}

async function unload(state: GatewayState, model: string | null): Promise<{ unloading: string[] }> {
  if (model !== null && isOwnModel(state, model)) return { unloading: await unloadOwn(state, model) };
  const { unloading } = unloadModels(state, model);
  return { unloading: model === null ? [...unloading, ...(await unloadOwn(state, null))] : unloading };
}

function sendJson(reply: Reply, value: unknown, requestId: string): void {
  sendOwn(reply, { status: 200, type: 'application/json', text: JSON.stringify(value), requestId });
}

async function sendLogs(
  reply: Reply,
  files: readonly string[],
  { follow, inbound, requestId }: { follow: boolean; inbound: Inbound; requestId: string },
): Promise<void> {
  const last = await Promise.all(files.map((file) => lastLines(file, shownLines)));
  const text = last.flatMap(({ lines }) => lines.map((line) => `${line}\n`)).join('');
  if (!follow) return sendOwn(reply, { status: 200, type: 'text/plain; charset=utf-8', text, requestId });
  reply.head(200, [
    'Content-Type',
    'text/plain; charset=utf-8',
    'Cache-Control',
    'no-cache, no-transform',
    'X-Accel-Buffering',
    'no',
    'x-request-id',
    requestId,
    'x-berth-origin',
    'gateway',
  ]);
  reply.write(text);
  const { closed: signal } = inbound;
  await Promise.all(
    files.map(async (file, i) => {
      for await (const line of followLines(systemClock, file, { from: last[i]?.end ?? 0, signal }))
        if (!reply.write(`${line}\n`)) await reply.drained();
    }),
  );
  reply.end();
}
