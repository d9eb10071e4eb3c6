import { formatBytes } from '../format.ts';
import type { Finding } from '../finding.ts';

/** What one engine takes of a machine's memory as soon as it serves, without caches that grow later. */
export interface Claim {
  readonly deployment: string;
  readonly bytes: number;
}

/** Who has memory now. */
export interface Holder {
  readonly name: string;
  readonly bytes: number;
}

/** Engines that take more than there is at all, each once. Critical. */
export function tooLarge(claims: readonly Claim[], totalBytes: number): Finding[] {
  const never = claims.filter(({ bytes }) => bytes > totalBytes);
  return [...new Map(never.map((one) => [one.deployment, one])).values()].map(({ deployment, bytes }) => ({
    rule: 'does-not-fit',
    severity: 'critical',
    object: deployment,
    message: `It takes ${formatBytes(bytes)} of memory for weights and context, and this machine has ${formatBytes(totalBytes)}.`,
    evidence: [
      `${bytes} bytes by the model's header and the engine's options`,
      `${totalBytes} bytes of memory here`,
    ],
    cure: 'Give it fewer slots, a smaller context, a smaller type of cache or quantization, or a host with more memory.',
  }));
}

/** A warning where several together take more than is left. `holders` is asked only then. */
export async function leavesTooLittle(
  claims: readonly Claim[],
  { totalBytes, availableBytes }: { readonly totalBytes: number; readonly availableBytes: number | null },
  holders: () => Promise<readonly Holder[]>,
): Promise<Finding[]> {
  const fitting = claims.filter(({ bytes }) => bytes <= totalBytes);
  const wanted = fitting.reduce((sum, { bytes }) => sum + bytes, 0);
  if (availableBytes === null || wanted <= availableBytes) return [];
  const names = [...new Set(fitting.map(({ deployment }) => deployment))];
  const held = (await holders()).map(({ name, bytes }) => `${name} has ${formatBytes(bytes)}`);
  const takes = fitting.length === 1 ? 'It takes' : 'Together they take';
  return [
    {
      rule: 'little-memory-left',
      severity: 'warning',
      object: names.join(', '),
      message: `${takes} ${formatBytes(wanted)} of memory, and ${formatBytes(availableBytes)} are left here: weights are read from the disk again and again, or something is killed.`,
      evidence: [`${wanted} bytes wanted`, `${availableBytes} bytes available`, ...held],
      cure: 'End what is not needed, take out a deployment, or load some on demand (load: on-demand).',
    },
  ];
}
