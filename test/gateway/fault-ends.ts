import { faults } from './faults.ts';

/** The gateway's own words before a request is sent anywhere, each with a time to come back. */
const own = '(429 queue_full|503 no_healthy_instance|503 wait_too_long|504 queue_timeout), [1-9]\\d*';

/** Each of the engines has failed; the third, which refuses connections, may have been the last that was tried. */
const nowhere = '502 upstream_failed|503 no_healthy_instance, [1-9]\\d*';
const cut = 'in-band upstream_failed';

/** How a request may end whose engines all have the fault, as `visit` tells it; whole words. */
const everywhere: Readonly<Record<string, string>> = {
  none: 'success',
  delay: 'success',
  // Whoever asks for it leaves.
  'endless prefill': 'left',
  'silent midway': 'in-band upstream_timeout',
  'dies before the head': nowhere,
  'closes before the head': nowhere,
  'dies within the head': nowhere,
  'dies between events': cut,
  'dies within an event': cut,
  'dies within a character': cut,
  'ends without the last chunk': cut,
  // Where the head, its event and what is broken come in one read, nothing of them is passed on.
  'broken framing': `${cut}|502 upstream_failed`,
  'one byte at a time': 'success',
  'split characters': 'success',
  'split chunk sizes': 'success',
  // It may have begun to answer: nobody else is asked.
  garbage: '502 upstream_failed',
  'both framings': '502 upstream_failed',
  'closes a kept connection': 'success',
  'keeps for a second': 'success',
  'plain that breaks off': 'broken',
  // The engine's word, with its time if it named one; the last that is tried may be the one that refuses connections.
  '429': '429 none, [1-9]\\d*|503 no_healthy_instance, [1-9]\\d*',
  '429 with Retry-After': '429 none, 7|503 no_healthy_instance, [1-9]\\d*',
  '500': '500 none',
  '503': '503 (none|no_healthy_instance), [1-9]\\d*',
  '503 with Retry-After': '503 none, 7|503 no_healthy_instance, [1-9]\\d*',
};

/** Faults before any byte went to the client, for which another replica is asked whatever the budget for retries. */
export const mended: readonly string[] = [
  'dies before the head',
  'closes before the head',
  'dies within the head',
];

/** Faults that are tried elsewhere as long as the budget for retries lasts. */
export const mendedWithinBudget: readonly string[] = [
  '429',
  '429 with Retry-After',
  '503',
  '503 with Retry-After',
];

export const faultNames: readonly string[] = Object.keys(faults);

export interface Plan {
  readonly fault: string;
  /** One engine has the fault, once. */
  readonly once: string | null;
  readonly leaveAfterMs: number | null;
}

/** Nothing but a lack of room may keep it from a whole reply. */
export function mustSucceed({ fault, once, leaveAfterMs }: Plan): boolean {
  return (
    leaveAfterMs === null && (everywhere[fault] === 'success' || (once !== null && mended.includes(fault)))
  );
}

/**
 * An engine of the tests that was not let run for a second, which is as long as the gateway waits for it: on a busy machine that
 * may befall any request, and only few.
 */
export function isStalled({ fault }: Plan, outcome: string): boolean {
  return fault !== 'silent midway' && /^(504|in-band) upstream_timeout$/.test(outcome);
}

/** How it may end. Who means to leave may have been answered before. */
export function allowedEnds(plan: Plan): RegExp {
  const ends = [own, mustSucceed(plan) ? 'success' : (everywhere[plan.fault] ?? 'unknown')];
  if (plan.once !== null && !mustSucceed(plan)) ends.push('success');
  if (plan.leaveAfterMs !== null) ends.push('left');
  return new RegExp(`^(${ends.join('|')})$`);
}
