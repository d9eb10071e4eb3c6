import { formatBytes } from '../format.ts';
import type { Finding } from '../finding.ts';

/** What one engine takes of a machine's memory as soon as it serves, without caches that grow later. */
export interface Claim {
  readonly deployment: string;
  readonly bytes: number;
  /** The same of the engine whose place it takes, as that one runs; null or absent: none runs, or its need is not known. */
  readonly today?: number | null;
}

/** What a machine has, and what of it may be taken. */
export interface Room {
  readonly totalBytes: number;
  /** Null: not known, so nothing can be told. */
  readonly availableBytes: number | null;
  /** What engines give back that end first, at most; null: not known. */
  readonly givenBackBytes: number | null;
}

/** Who has memory now. */
export interface Holder {
  readonly name: string;
  readonly bytes: number;
}

/**
 * Engines that take more than there is at all, each deployment once. Critical, but for those that take no more than what runs in their
 * place by now: the sum is wrong for these, or they do badly already, and no change of theirs makes it worse.
 */
export function tooLarge(claims: readonly Claim[], totalBytes: number): Finding[] {
  const never = claims.filter(({ bytes }) => bytes > totalBytes);
  const worstLast = never.toSorted((a, b) => Number(isWorse(a)) - Number(isWorse(b)));
  return [...new Map(worstLast.map((one) => [one.deployment, one])).values()].map((claim) => {
    const { deployment, bytes } = claim;
    const worse = isWorse(claim);
    const runs = worse ? '' : ' What runs in its place takes no less.';
    return {
      rule: 'does-not-fit',
      severity: worse ? 'critical' : 'warning',
      object: deployment,
      message: `It takes ${formatBytes(bytes)} of memory for weights and context, and this machine has ${formatBytes(totalBytes)}.${runs}`,
      evidence: [
        `${bytes} bytes by the model's header and the engine's options`,
        `${totalBytes} bytes of memory here`,
      ],
      cure: 'Give it fewer slots, a smaller context, a smaller type of cache or quantization, or a host with more memory.',
    };
  });
}

function isWorse({ bytes, today = null }: Claim): boolean {
  return today === null || bytes > today;
}

/** A warning where several together take more than is left. `holders` is asked only then. */
export async function leavesTooLittle(
  claims: readonly Claim[],
  { totalBytes, availableBytes, givenBackBytes }: Room,
  holders: () => Promise<readonly Holder[]>,
): Promise<Finding[]> {
  const fitting = claims.filter(({ bytes }) => bytes <= totalBytes);
  const wanted = fitting.reduce((sum, { bytes }) => sum + bytes, 0);
  if (availableBytes === null || givenBackBytes === null || wanted <= availableBytes + givenBackBytes)
    return [];
  const names = [...new Set(fitting.map(({ deployment }) => deployment))];
  const held = (await holders()).map(({ name, bytes }) => `${name} has ${formatBytes(bytes)}`);
  const freed = givenBackBytes > 0 ? [`${givenBackBytes} bytes resident in engines that end before`] : [];
  const takes = fitting.length === 1 ? 'It takes' : 'Together they take';
  const later =
    givenBackBytes > 0
      ? `, with ${formatBytes(givenBackBytes)} at most that what ends before gives back`
      : '';
  return [
    {
      rule: 'little-memory-left',
      severity: 'warning',
      object: names.join(', '),
      message: `${takes} ${formatBytes(wanted)} of memory, and ${formatBytes(availableBytes)} are left here${later}: weights are read from the disk again and again, or something is killed.`,
      evidence: [`${wanted} bytes wanted`, `${availableBytes} bytes available`, ...freed, ...held],
      cure: 'End what is not needed, take out a deployment, or load some on demand (load: on-demand).',
    },
  ];
}
