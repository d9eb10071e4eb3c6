import { z } from 'zod';
import { parseJson } from '../../domain/json.ts';
import type { World } from '../../io/world.ts';

const askMs = 5_000;

const Models = z.object({ data: z.array(z.object({ id: z.string(), root: z.string().nullish() })) });
const Props = z.object({ model_path: z.string().min(1) });

/** What a server says of the models it serves. */
export interface ToldModels {
  readonly names: readonly string[];
  /** Where they come from in its own words: a path, or a name on the Hugging Face Hub. */
  readonly sources: readonly string[];
}

/** vLLM tells the source with its list, llama-server and the embedded engine at /props; others tell names alone. */
export async function toldModels(
  world: World,
  url: string,
  headers: Readonly<Record<string, string>>,
): Promise<ToldModels> {
  const [list, props] = await Promise.all([
    jsonAt(world, `${url}/v1/models`, headers),
    jsonAt(world, `${url}/props`, headers),
  ]);
  const models = Models.safeParse(list).data?.data ?? [];
  const path = Props.safeParse(props).data?.model_path;
  return {
    names: models.map(({ id }) => id),
    sources: path === undefined ? models.flatMap(({ root }) => root ?? []) : [path],
  };
}

export async function namesOf(
  world: World,
  url: string,
  headers: Readonly<Record<string, string>>,
): Promise<string[]> {
  const list = Models.safeParse(await jsonAt(world, `${url}/v1/models`, headers)).data;
  return list?.data.map(({ id }) => id) ?? [];
}

async function jsonAt(
  world: World,
  url: string,
  headers: Readonly<Record<string, string>>,
): Promise<unknown> {
  try {
    const { status, text } = await world.http.request(url, { headers: { ...headers }, timeoutMs: askMs });
    return status === 200 ? parseJson(text) : undefined;
  } catch {
    return undefined;
  }
}
