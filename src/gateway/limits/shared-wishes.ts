import { randomUUID } from 'node:crypto';
import { orNull, whoAndUntil } from './store-script.ts';
import type { RunScript } from './store-script.ts';

/** What a gateway asks all others for, as it lies in the store. */
export interface SharedWish {
  readonly id: string;
  /** The gateway that asks. */
  readonly from: string;
  /** It is over then, whatever became of it. */
  readonly leftMs: number;
  readonly text: string;
}

/** What gateways know of each other. */
export interface Exchanged {
  /** Others that are there. */
  readonly gateways: readonly string[];
  /** In force, the oldest first; those of this gateway among them. */
  readonly wishes: readonly SharedWish[];
  readonly answers: readonly { readonly wish: string; readonly gateway: string; readonly text: string }[];
}

/**
 * Where gateways ask each other for something and answer. A wish ends by itself, so that an asker that dies leaves nothing shut,
 * and so does the sign of life that each exchange gives: nobody waits for a gateway that is gone. Nothing here rejects.
 */
export interface SharedWishes {
  /** The name of this gateway. */
  readonly gateway: string;
  /** Its id; null when the store cannot be reached. In place of an earlier one of the same subject. */
  readonly post: (wish: { subject: string; text: string; forMs: number }) => Promise<string | null>;
  /** Answers by wish, each told once. Null when the store cannot be reached: then they have to be told again. */
  readonly exchange: (answers: ReadonlyMap<string, string>) => Promise<Exchanged | null>;
  /** Nobody need wait for this gateway any more. */
  readonly leave: () => void;
}

/** A gateway that has given no sign of life for so long is gone. */
export const goneMs = 5_000;
/** So often it gives one. */
export const exchangeMs = 300;

/*
 * Keys: gateways (when each is gone), wishes ("ends from subject text"), answers ("wish gateway" → text). Arguments: the gateway,
 * how long its sign of life holds, then two an answer: wish, text.
 */
const exchangeScript = `${whoAndUntil}
redis.call('HSET', KEYS[1], me, string.format('%d', now + keep))
redis.call('PEXPIRE', KEYS[1], keep)
for i = 3, #ARGV, 2 do redis.call('HSET', KEYS[3], ARGV[i] .. ' ' .. me, ARGV[i + 1]) end
if #ARGV > 2 then redis.call('PEXPIRE', KEYS[3], 86400000) end
local gateways, wishes, answers, live = {}, {}, {}, {}
local all = redis.call('HGETALL', KEYS[1])
for i = 1, #all, 2 do
  if tonumber(all[i + 1]) <= now then redis.call('HDEL', KEYS[1], all[i])
  elseif all[i] ~= me then gateways[#gateways + 1] = all[i] end
end
all = redis.call('HGETALL', KEYS[2])
for i = 1, #all, 2 do
  local ends, from, text = string.match(all[i + 1], '^(%d+) (%S+) %S+ (.*)$')
  if not ends or tonumber(ends) <= now then redis.call('HDEL', KEYS[2], all[i])
  else
    live[all[i]] = true
    for _, part in ipairs({all[i], from, tonumber(ends) - now, text}) do wishes[#wishes + 1] = part end
  end
end
all = redis.call('HGETALL', KEYS[3])
for i = 1, #all, 2 do
  local wish, gateway = string.match(all[i], '^(%S+) (%S+)$')
  if not wish or not live[wish] then redis.call('HDEL', KEYS[3], all[i])
  else for _, part in ipairs({wish, gateway, all[i + 1]}) do answers[#answers + 1] = part end end
end
return {gateways, wishes, answers}`;

/* Keys: wishes, and the number of the latest. Arguments: the gateway, how long the wish holds, its subject, its text. */
const postScript = `${whoAndUntil}
local all = redis.call('HGETALL', KEYS[1])
for i = 1, #all, 2 do
  if string.match(all[i + 1], '^%d+ %S+ (%S+)') == ARGV[3] then redis.call('HDEL', KEYS[1], all[i]) end
end
local id = string.format('%d', redis.call('INCR', KEYS[2])) .. '/' .. me
redis.call('HSET', KEYS[1], id, string.format('%d', now + keep) .. ' ' .. me .. ' ' .. ARGV[3] .. ' ' .. ARGV[4])
redis.call('PEXPIRE', KEYS[1], math.max(redis.call('PTTL', KEYS[1]), keep))
redis.call('PEXPIRE', KEYS[2], 86400000)
return id`;

/** `gateway`: unique over all gateways of the fleet, never used again, and without a space. */
export function createSharedWishes(
  fleet: string,
  gateway: string,
  run: RunScript,
  onFallback: (error: unknown) => void,
): SharedWishes {
  // The braces keep all that a fleet has on one node of a cluster.
  const [gateways = '', wishes = '', answers = '', latest = ''] = [
    'gateways',
    'wishes',
    'answers',
    'latest-wish',
  ].map((name) => `berth:{${fleet}}:${name}`);
  return {
    gateway,
    post: ({ subject, text, forMs }) => {
      const args = [gateway, String(Math.max(1, Math.ceil(forMs))), encodeURIComponent(subject), text];
      return orNull(run(postScript, [wishes, latest], args).then(String), onFallback);
    },
    exchange: (told) => {
      const args = [gateway, String(goneMs), ...[...told].flat()];
      return orNull(run(exchangeScript, [gateways, wishes, answers], args).then(exchangedOf), onFallback);
    },
    leave: () =>
      void run(`return redis.call('HDEL', KEYS[1], ARGV[1])`, [gateways], [gateway]).catch(() => {}),
  };
}

function exchangedOf(reply: unknown): Exchanged {
  const [gateways = [], wishes = [], answers = []] = (reply as unknown[][]).map((part) => part.map(String));
  return {
    gateways,
    wishes: inRows(wishes, 4)
      .map(([id = '', from = '', leftMs, text = '']) => ({ id, from, leftMs: Number(leftMs), text }))
      .toSorted((a, b) => Number.parseInt(a.id, 10) - Number.parseInt(b.id, 10)),
    answers: inRows(answers, 3).map(([wish = '', gateway = '', text = '']) => ({ wish, gateway, text })),
  };
}

function inRows(parts: readonly string[], width: number): string[][] {
  return Array.from({ length: parts.length / width }, (_, i) => parts.slice(i * width, (i + 1) * width));
}

/** The name of a gateway: people read where it runs, and no other ever has the same. */
export function gatewayName(host: string): string {
  return `${host.replaceAll(/\s/g, '-')}/${randomUUID().slice(0, 8)}`;
}
