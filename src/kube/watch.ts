import { z } from 'zod';
import { BerthError } from '../domain/errors/berth-error.ts';
import { parseJson } from '../domain/json.ts';
import type { Clock } from '../io/clock.ts';
import { listAsOf } from './client.ts';
import type { Listed, Live, Place, Wanted } from './client.ts';
import { listPath } from './kinds.ts';
import { textLines } from './text-lines.ts';

/** What stands in the way of hearing of changes at once. */
export interface WatchTrouble {
  /** `silent`: nobody answers, so that what was seen last counts; `asked`: objects are asked for each second instead. */
  readonly kind: 'silent' | 'asked';
  readonly reason: string;
}

export interface Following<T> {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Hears all objects as they are now, whenever one of them may be another. */
  readonly onObjects: (objects: readonly T[]) => void;
  /** Null: all is well again. */
  readonly onTrouble: (trouble: WatchTrouble | null) => void;
}

const Event = z.object({ type: z.string(), object: z.unknown() });
const Version = z.object({ metadata: z.object({ resourceVersion: z.string() }) });
const Known = z.object({ metadata: z.object({ uid: z.string() }) });
const Refusal = z.object({ code: z.number().nullish(), message: z.string().nullish() });

/** The server ends a watch after that time; one that goes on is of a connection that is dead. */
const watchSeconds = 60;
const graceMs = 15_000;
/** A watch that has ended sooner is not begun again at once. */
const shortMs = 1_000;
const firstPauseMs = 250;
const longestPauseMs = 15_000;
const askedMs = 1_000;
/** How long objects are asked for before watching them is tried again. */
const askedForMs = 60_000;

/**
 * Follows all objects of a kind with these labels from a list on, until the signal aborts. It hears of changes by a watch: from
 * where the last one ended, by bookmarks, and from a new list where the server has forgotten what was then. Where it may list
 * alone it asks each second. Resolves when the signal has aborted and throws nothing.
 */
export async function followObjects<T extends Live>(
  place: Place,
  wanted: Wanted<z.ZodType<T>>,
  { from, ...how }: Following<T> & { readonly from: Listed<T> },
): Promise<void> {
  const { clock, signal, onTrouble } = how;
  let at: Listed<T> | null = from;
  let failures = 0;
  let told: WatchTrouble['kind'] | null = null;
  function tell(trouble: WatchTrouble | null): void {
    if (trouble?.kind === (told ?? undefined)) return;
    told = trouble?.kind ?? null;
    onTrouble(trouble);
  }
  while (!signal.aborted) {
    const began = clock.now();
    try {
      if (at === null) {
        at = await listAsOf(place, wanted);
        how.onObjects([...at.objects.values()]);
      }
      const end = await watch(place, { wanted, at }, { ...how, onOpen: () => tell(null) });
      if (end.is === 'refused') {
        tell({ kind: 'asked', reason: end.reason });
        at = await askAgainAndAgain(place, wanted, how);
        failures = 0;
        continue;
      }
      if (end.is === 'stale') at = null;
      if (clock.now() - began >= shortMs) failures = 0;
      else failures += 1;
    } catch (error) {
      if (signal.aborted) return;
      failures += 1;
      tell({ kind: 'silent', reason: error instanceof Error ? error.message : String(error) });
    }
    const pause =
      failures === 0 ? 0 : Math.min(longestPauseMs, firstPauseMs * 2 ** Math.min(failures - 1, 10));
    if (pause > 0) await clock.sleep(pause, signal).catch(() => {});
  }
}

type End = { readonly is: 'ended' | 'stale' } | { readonly is: 'refused'; readonly reason: string };

/** One watch to its end; what it hears is put into the list. Throws what is no answer, and what breaks off. */
async function watch<T extends Live>(
  place: Place,
  { wanted, at }: { wanted: Wanted<z.ZodType<T>>; at: Listed<T> },
  { signal, onObjects, onOpen }: Pick<Following<T>, 'signal' | 'onObjects'> & { onOpen: () => void },
): Promise<End> {
  const query = `watch=1&allowWatchBookmarks=true&timeoutSeconds=${watchSeconds}&resourceVersion=${encodeURIComponent(at.version)}`;
  const path = `${listPath(wanted, place.namespace)}?${query}&labelSelector=${encodeURIComponent(wanted.labels)}`;
  const late = AbortSignal.timeout(watchSeconds * 1_000 + graceMs);
  const { status, body } = await place.api.open(path, AbortSignal.any([signal, late]));
  if (status !== 200) return endOf(status, await textOf(body), path);
  onOpen();
  try {
    for await (const line of textLines(body)) {
      const event = Event.safeParse(parseJson(line)).data;
      if (!event) continue;
      if (event.type === 'ERROR') return errorOf(event.object, path);
      const version = Version.safeParse(event.object).data?.metadata.resourceVersion;
      if (version !== undefined) at.version = version;
      if (takeIn(at, event, wanted.schema)) onObjects([...at.objects.values()]);
    }
  } catch (error) {
    if (error instanceof BerthError) throw error;
    // What has broken off is begun again where it was; that nobody answers is told then.
  }
  return { is: 'ended' };
}

function errorOf(object: unknown, path: string): End {
  const { code, message } = Refusal.safeParse(object).data ?? {};
  if (code === 410) return { is: 'stale' };
  const answer = message ?? 'it ends the watch without a reason';
  throw new BerthError('KUBE_REFUSED', { question: questionOf(path), status: code ?? 200, answer });
}

function questionOf(path: string): string {
  return `GET ${path.split('?')[0]}`;
}

/** False for what changes no object. */
function takeIn<T extends Live>(
  { objects }: Listed<T>,
  { type, object }: z.infer<typeof Event>,
  schema: z.ZodType<T>,
): boolean {
  const uid = Known.safeParse(object).data?.metadata.uid;
  if (uid === undefined || type === 'BOOKMARK') return false;
  const one = type === 'DELETED' ? undefined : schema.safeParse(object).data;
  // One that cannot be read is as good as none.
  if (one === undefined) return objects.delete(uid);
  objects.set(uid, one);
  return true;
}

/** An answer that is no watch: forgotten, not allowed, or for now not to be had. */
function endOf(status: number, text: string, path: string): End {
  if (status === 410) return { is: 'stale' };
  const answer = Refusal.safeParse(parseJson(text)).data?.message ?? `it says no more than ${status}`;
  if (status === 429 || status >= 500)
    throw new BerthError('KUBE_REFUSED', { question: questionOf(path), status, answer });
  return { is: 'refused', reason: answer.replace(/\.$/, '') };
}

/** In place of a watch, for a while. Gives what was listed last; throws what a list meets. */
async function askAgainAndAgain<T extends Live>(
  place: Place,
  wanted: Wanted<z.ZodType<T>>,
  { clock, signal, onObjects }: Following<T>,
): Promise<Listed<T>> {
  const until = clock.now() + askedForMs;
  for (;;) {
    const at = await listAsOf(place, wanted);
    onObjects([...at.objects.values()]);
    if (signal.aborted || clock.now() >= until) return at;
    await clock.sleep(askedMs, signal).catch(() => {});
  }
}

const longestReason = 64 * 1024;

async function textOf(body: AsyncIterable<Uint8Array>): Promise<string> {
  let text = '';
  for await (const line of textLines(body)) {
    text += line;
    if (text.length > longestReason) break;
  }
  return text;
}
