import type { BerthError } from '../../domain/errors/berth-error.ts';
import { formatBytes } from '../../domain/format.ts';
import type { Standing } from '../../fleet/consolidate/standing.ts';
import type { Consolidation } from '../../fleet/consolidate/steps.ts';
import type { Option } from '../../fleet/relocate/option.ts';
import { optionsText } from './option-text.ts';

/** One way to have the fleet, and how it is come to. */
export interface Way {
  readonly consolidation: Consolidation;
  readonly option: Option;
  /** What the fleet takes once it is done; null where it cannot be. */
  readonly after: Standing | null;
}

/** What is served twice, the ways to have it otherwise, and the steps of each. */
export function consolidationText({
  fleet,
  gateway,
  now,
  ways,
}: {
  fleet: string;
  gateway: boolean;
  now: Standing;
  ways: readonly Way[];
}): string {
  const duplicates = ways[0]?.consolidation.duplicates ?? [];
  return [
    duplicates.length === 0
      ? `Fleet ${fleet} serves no model twice on one machine.`
      : `Served twice: ${duplicates.map((one) => `${one.drop.join(' and ')} like ${one.keep}`).join('; ')}.`,
    `As it is: ${standingText(now)}.`,
    optionsText(ways.map((one) => one.option)),
    ...ways.flatMap(({ option, after }) =>
      after === null || option.now ? [] : [`${option.name}: ${standingText(after)} afterwards.`],
    ),
    ...ways.map(({ consolidation: { steps }, option }) =>
      steps.length === 0
        ? `${option.name}: nothing to do.`
        : `${option.name}: ${steps.map((step, index) => `${index + 1}. ${step.title}`).join(' ')}.`,
    ),
    ...(gateway ? [] : ['No gateway of this fleet runs here: requests at an engine that ends are cut off.']),
  ].join('\n');
}

function standingText({ servers, memoryBytes, gpus }: Standing): string {
  const memory =
    memoryBytes === null ? 'memory that is not known of all' : `${formatBytes(memoryBytes)} of memory`;
  return `${servers} ${servers === 1 ? 'server' : 'servers'}, ${memory}, ${gpus} ${gpus === 1 ? 'GPU' : 'GPUs'}`;
}

export function consolidatedText({
  done,
  failed,
  failure,
  notes = [],
}: {
  done: readonly { title: string; did: readonly string[] }[];
  failed: string | null;
  failure: BerthError | null;
  notes?: readonly string[];
}): string {
  return [
    ...done.map(({ title, did }) => `Done: ${title}${did.length > 0 ? ` (${did.join(', ')})` : ''}.`),
    ...(done.length === 0 && failed === null ? ['Nothing had to be done.'] : []),
    ...(failure ? [`berth: not done: ${failed}: ${failure.message}`, failure.cure] : []),
    ...notes.map((note) => `${note}.`),
  ].join('\n');
}
