import { llamaMemory } from '../../domain/fit/llama-memory.ts';
import type { MemoryNeed } from '../../domain/on-demand.ts';
import type { Mark } from '../../domain/instance.ts';
import { engineOf, engines } from '../../engines/registry.ts';
import type { World } from '../../io/world.ts';
import { readGgufModel } from '../../model-files/gguf-read.ts';
import { llamaShape } from '../../model-files/llama-shape.ts';
import type { LlamaShape } from '../../domain/fit/llama-memory.ts';
import { splitSet } from '../../domain/split-files.ts';
import type { Deployment } from '../file/resolve.ts';

/** Headers are read once as long as their file stays the same. */
export type ShapeCache = Map<string, Promise<LlamaShape | null>>;

/** What of a deployment its memory depends on. */
interface Measured {
  readonly engine: Deployment['engine'];
  readonly model: { readonly path: string; readonly mmproj: string | null } | null;
  readonly gpus: number;
}

/**
 * Bytes that all replicas of a deployment take: as the file says, else computed from the header of the model and how the engine is
 * told to run it. Null when neither tells.
 */
export async function memoryNeed(
  world: World,
  deployment: Deployment,
  shapes: ShapeCache,
): Promise<MemoryNeed | null> {
  const each = deployment.onDemand?.memory ?? (await computed(world, deployment, shapes));
  return each && { host: each.host * deployment.replicas, gpu: each.gpu * deployment.replicas };
}

/** Bytes of this machine's memory that one replica takes as soon as it serves; null: not known. Its cache of prompts grows later. */
export async function memoryAtStart(
  world: World,
  deployment: Deployment,
  shapes: ShapeCache,
): Promise<number | null> {
  const need = deployment.onDemand?.memory ?? (await computed(world, deployment, shapes, { cache: false }));
  return need?.host ?? null;
}

/** The same of one that runs, by what its mark says of it; null: not known, as where a newer berth knows its options no longer. */
export async function memoryOfRunning(
  world: World,
  { declared, spec }: Pick<Mark, 'declared' | 'spec'>,
  shapes: ShapeCache,
): Promise<number | null> {
  const stated = underName(declared, 'engine');
  const engine = engines.find(({ kind }) => kind === stated['kind']);
  const options = engine?.options?.safeParse(stated).data;
  if (!options || !spec.model) return null;
  const model = { path: spec.model, mmproj: spec.mmproj };
  const of = { engine: options, model, gpus: spec.devices.count };
  return (await computed(world, of, shapes, { cache: false }))?.host ?? null;
}

/** What is declared flat below a name, as the file has it: "engine.slots" of "engine". */
function underName(declared: Readonly<Record<string, unknown>>, name: string): Record<string, unknown> {
  const whole: Record<string, unknown> = {};
  for (const [path, value] of Object.entries(declared)) {
    const [first, ...rest] = path.split('.');
    const last = rest.pop();
    if (first !== name || last === undefined) continue;
    const place = rest.reduce<Record<string, unknown>>((at, key) => {
      const below = at[key] ?? {};
      at[key] = below;
      return below as Record<string, unknown>;
    }, whole);
    place[last] = value;
  }
  return whole;
}

async function computed(
  world: World,
  { engine, model, gpus }: Measured,
  shapes: ShapeCache,
  { cache = true } = {},
): Promise<MemoryNeed | null> {
  const told = engineOf(engine.kind).memoryUse?.(engine, gpus);
  if (!told || !model) return null;
  const use = cache ? told : { ...told, cacheBytes: 0 };
  const shape = await shapeOf(world, model.path, shapes);
  if (!shape) return null;
  const need = llamaMemory(shape, use);
  const projector = model.mmproj ? ((await world.files.stat(model.mmproj))?.size ?? 0) : 0;
  return use.gpus > 0 ? { ...need, gpu: need.gpu + projector } : { ...need, host: need.host + projector };
}

async function shapeOf(world: World, path: string, shapes: ShapeCache): Promise<LlamaShape | null> {
  const found = await Promise.all(splitSet(path).map((part) => world.files.stat(part)));
  if (!found.every((one) => one?.isFile)) return null;
  const key = [path, ...found.map((one) => `${one?.size} ${one?.mtimeMs}`)].join('\0');
  const read = shapes.get(key) ?? readGgufModel(path).then(llamaShape, () => null);
  shapes.set(key, read);
  return await read;
}
