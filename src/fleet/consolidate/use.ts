import { flagValue } from '../../domain/command-line/flags.ts';
import { roleOf } from '../../domain/model-role.ts';
import { toldSize } from '../adopt/told-size.ts';
import type { Deployment } from '../file/resolve.ts';
import type { Reached } from './take-over.ts';

type Options = Readonly<Record<string, unknown>>;

/** Options that change what a model answers. */
const answering = [
  'pooling',
  'lora',
  'loraScaled',
  'loraUnapplied',
  'enableLora',
  'chatTemplate',
  'chatTemplateFile',
  'toolCallParser',
  'reasoningParser',
  'reasoningFormat',
  'revision',
  'overrides',
] as const;

/** What a deployment does with its model, alike for two that could stand for one another, and its largest request. Pure. */
export function useOf(
  { engine, model }: Pick<Deployment, 'engine' | 'model'>,
  reached: Reached | undefined,
): { readonly use: string; readonly context: number | null } {
  if (reached) {
    const { options, command } = reached.server;
    const mmproj = flagValue(command, '--mmproj', '-mm');
    const sized = { ...options, ...toldSize(reached.server) };
    return { use: textOf(options, command, mmproj), context: reached.server.told.context ?? largest(sized) };
  }
  const options: Options = engine;
  const args = Array.isArray(options['args']) ? options['args'].map(String) : [];
  return { use: textOf(options, args, model?.mmproj ?? null), context: largest(options) };
}

/** Projectors are the same by their file's name: a container has it under another path. */
function textOf(options: Options, command: readonly string[], mmproj: string | null): string {
  const stated = answering.map((name) => {
    const value = options[name];
    return value === false || (Array.isArray(value) && value.length === 0) ? null : (value ?? null);
  });
  const projector = mmproj === null ? null : mmproj.slice(mmproj.lastIndexOf('/') + 1);
  return JSON.stringify([roleOf({ command, options }), projector, stated]);
}

/** Slots with one cache leave all of it to a single request. */
function largest({ context, slots, kvUnified }: Options): number | null {
  if (typeof context !== 'number' || context < 1) return null;
  return kvUnified === true && typeof slots === 'number' ? context * slots : context;
}
