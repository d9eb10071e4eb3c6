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
const lookEveryMs = 500;

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
      return await (ask.follow
        ? followLogs(reply, files, { over: overWith(state, inbound), requestId })
        : sendLogs(reply, files, requestId));
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

async function sendLogs(reply: Reply, files: readonly string[], requestId: string): Promise<void> {
  const text = textOf(await Promise.all(files.map((file) => lastLines(file, shownLines))));
  sendOwn(reply, { status: 200, type: 'text/plain; charset=utf-8', text, requestId });
}

async function followLogs(
  reply: Reply,
  files: readonly string[],
  { over, requestId }: { over: AbortSignal; requestId: string },
): Promise<void> {
  const last = await Promise.all(files.map((file) => lastLines(file, shownLines)));
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
  reply.write(textOf(last));
  await Promise.all(
    files.map(async (file, i) => {
      for await (const line of followLines(systemClock, file, { from: last[i]?.end ?? 0, signal: over }))
        if (!reply.write(`${line}\n`)) await reply.drained();
    }),
  );
  reply.end();
}

function textOf(last: readonly { readonly lines: readonly string[] }[]): string {
  return last.flatMap(({ lines }) => lines.map((line) => `${line}\n`)).join('');
}

/**
 * A log that is followed has no end: it is over when the client leaves, when its key is good no more, and when the gateway ends, or
 * the address that it came by, which would wait for it as for a reply.
 */
function overWith(state: GatewayState, inbound: Inbound): AbortSignal {
  const over = new AbortController();
  let callOff = state.after(lookEveryMs, look);
  function look(): void {
    if (inbound.isLast || !mayControl(state, inbound)) over.abort();
    else callOff = state.after(lookEveryMs, look);
  }
  inbound.onClosed(() => {
    callOff();
    over.abort();
  });
  return over.signal;
}

function mayControl({ snapshot }: GatewayState, inbound: Inbound): boolean {
  try {
    snapshot.keyring.requireControl(inbound);
    return true;
  } catch {
    return false;
  }
}
