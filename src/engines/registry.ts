import { withVariables } from '../domain/command-line/fill-variables.ts';
import { baseName } from '../domain/command-line/unwrap.ts';
import { BerthError } from '../domain/errors/berth-error.ts';
import type { ProcessFacts, Recognized } from '../domain/process-facts.ts';
import { aphrodite } from './aphrodite.ts';
import { command } from './command.ts';
import type { Engine } from './contract.ts';
import { dynamo } from './dynamo.ts';
import { embedded } from './embedded.ts';
import { exo } from './exo.ts';
import { fastchat } from './fastchat.ts';
import { withGivenWords } from './given-words.ts';
import { infinity } from './infinity.ts';
import { jan } from './jan.ts';
import { koboldcpp } from './koboldcpp.ts';
import { kserveHuggingface } from './kserve-huggingface.ts';
import { lemonade } from './lemonade.ts';
import { llamaCpp } from './llama-cpp.ts';
import { llamaCppPython } from './llama-cpp-python.ts';
import { llamaRouter } from './llama-cpp/router.ts';
import { llamafiler } from './llamafiler.ts';
import { llamaSwap } from './llama-swap.ts';
import { lmStudio } from './lm-studio.ts';
import { lmdeploy } from './lmdeploy.ts';
import { localai } from './localai.ts';
import { mistralRs } from './mistral-rs.ts';
import { mlcLlm } from './mlc-llm.ts';
import { mlxLm } from './mlx-lm.ts';
import { nim } from './nim.ts';
import { ollama } from './ollama.ts';
import { openai } from './openai.ts';
import { openllm } from './openllm.ts';
import { openvino } from './openvino.ts';
import { sglang } from './sglang.ts';
import { tabbyapi } from './tabbyapi.ts';
import { tensorrtLlm } from './tensorrt-llm.ts';
import { textEmbeddingsInference } from './text-embeddings-inference.ts';
import { textGenerationWebui } from './text-generation-webui.ts';
import { tgi } from './tgi.ts';
import { transformers } from './transformers.ts';
import { triton } from './triton.ts';
import { vllm } from './vllm.ts';
import { xinference } from './xinference.ts';

/** Engines that a fleet file may name, in the order of the docs. Add one: write its file beside these, then name it here. */
export const launchableEngines = [embedded, llamaCpp, llamaRouter, vllm, openai, command] as const;

/** Every engine berth knows, those included that it only recognises. */
export const engines = [
  ...launchableEngines,
  ollama,
  sglang,
  tgi,
  lmStudio,
  koboldcpp,
  localai,
  llamaSwap,
  llamaCppPython,
  mlxLm,
  aphrodite,
  lmdeploy,
  tensorrtLlm,
  tabbyapi,
  textGenerationWebui,
  triton,
  textEmbeddingsInference,
  infinity,
  mlcLlm,
  mistralRs,
  xinference,
  transformers,
  openllm,
  exo,
  fastchat,
  openvino,
  nim,
  kserveHuggingface,
  lemonade,
  dynamo,
  jan,
  llamafiler,
] as const;

/**
 * The engine of this kind. Its options are typed by the least that all engines share: hand it only
 * options that its own schema has parsed.
 */
export function engineOf(kind: string): Engine {
  const found = engines.find((engine) => engine.kind === kind);
  if (!found) throw new BerthError('ENGINE_UNKNOWN', { kind, known: engines.map((engine) => engine.kind) });
  return found as unknown as Engine;
}

/** Null for a kind that no engine here has, as that of a server which nobody knows. */
export function engineNamed(kind: string): Engine | null {
  return engines.some((engine) => engine.kind === kind) ? engineOf(kind) : null;
}

/** Variables that an engine takes no notice of, with what is meant. */
export function ignoredIn(kind: string, names: readonly string[]): { name: string; meant: string }[] {
  const engine = engineNamed(kind);
  return names.flatMap((name) => {
    const meant = engine?.meantVariable?.(name) ?? null;
    return meant === null ? [] : [{ name, meant }];
  });
}

/** Endpoint paths of an engine with these options; none where only the server itself can tell. */
export function enginePaths(options: { readonly kind: string }): readonly string[] {
  const engine = engineOf(options.kind);
  return engine.statedPaths?.(options) ?? engine.paths;
}

/** The first engine that knows this process; null for everything that is no model server. */
export function recognize(given: ProcessFacts): Recognized | null {
  if (given.argv.length === 0) return null;
  const facts = { ...given, argv: withVariables(given.argv, given.env) };
  return firstThatKnows(facts) ?? firstThatKnows(underItsProgram(facts));
}

function firstThatKnows(facts: ProcessFacts | null): Recognized | null {
  if (facts === null) return null;
  for (const engine of engines) {
    const found = 'recognize' in engine ? engine.recognize?.(facts) : null;
    if (found) return withGivenWords(found);
  }
  return null;
}

/** Whoever starts a program may call it what he likes; null where it has its own name. */
function underItsProgram(facts: ProcessFacts): ProcessFacts | null {
  const path = facts.exe?.replace(/ \(deleted\)$/, '') ?? '';
  const [name = '', ...args] = facts.argv;
  if (path === '' || /\s/.test(name) || baseName(path) === baseName(name)) return null;
  return { ...facts, argv: [path, ...args] };
}
