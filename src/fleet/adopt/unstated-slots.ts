import type { DefinedServer } from '../../domain/audit/observation.ts';

/** Since this build a llama-server that is not told its slots has four, which share one cache; before, it had one. */
const firstWithFour = 6929;

/**
 * Slots and context of a server that cannot be asked and whose command line leaves the slots to it, in the words of a fleet file: one
 * started from these takes the same memory and as many requests at once. An image that does not tell its build counts as a new one. Pure.
 */
export function unstatedSlots(
  { engine, options }: Pick<DefinedServer, 'engine' | 'options'>,
  image: string | null,
): Record<string, unknown> {
  const { slots, context } = options;
  if (engine !== 'llama.cpp' || (typeof slots === 'number' && slots > 0)) return {};
  const build = /(?:^|[-:.])b(\d{4,})(?![\w.])/.exec(image ?? '')?.[1];
  if (build !== undefined && Number(build) < firstWithFour) return {};
  const total = typeof context === 'number' && context > 0 ? context : null;
  return {
    slots: 4,
    kvUnified: true,
    ...(total === null ? {} : { context: Math.max(1, Math.floor(total / 4)) }),
  };
}
