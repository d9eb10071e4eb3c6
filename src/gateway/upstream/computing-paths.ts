import type { AsItIs } from '../../domain/as-it-is.ts';
import { endpointAt } from '../front/endpoints.ts';

/**
 * Where engines compute under names of their own, by POST: nothing stays of it, and no engine that is known here does more by that
 * name. "/predict", where servers for embeddings classify, is not among them: at a llama-server its body says what it does.
 */
const computing = new Set([
  // llama-server
  '/completion',
  '/completions',
  '/chat/completions',
  '/chat/completions/input_tokens',
  '/embedding',
  '/embeddings',
  '/responses',
  '/responses/input_tokens',
  '/audio/transcriptions',
  // Ollama, of whose own API the rest takes "keep_alive", which unloads, and loads whatever model the body names
  '/api/show',
  // TGI and TEI
  '/',
  '/generate',
  '/generate_stream',
  '/chat_tokenize',
  '/embed',
  '/embed_all',
  '/embed_sparse',
  '/similarity',
  '/decode',
  '/vertex',
  '/invocations',
  // SGLang
  '/encode',
  '/generate_from_file',
  '/parse_function_call',
  '/separate_reasoning',
  '/vertex_generate',
  '/v1/tokenize',
  '/v1/detokenize',
  // vLLM
  '/v1/classify',
  '/v1/pooling',
  '/v1/chat/completions/render',
  '/v1/completions/render',
  '/v2/embed',
  // TabbyAPI, text-generation-webui
  '/v1/token/encode',
  '/v1/token/decode',
  '/v1/internal/encode',
  '/v1/internal/decode',
  '/v1/internal/token-count',
  '/v1/internal/logits',
  // LM Studio
  '/api/v0/chat/completions',
  '/api/v0/completions',
  '/api/v0/embeddings',
  // KoboldCpp
  '/api/v1/generate',
  '/api/extra/generate/stream',
  '/api/extra/tokencount',
  // whisper.cpp, stable-diffusion.cpp
  '/inference',
  '/sdapi/v1/txt2img',
  '/sdapi/v1/img2img',
]);

/** SGLang takes these by PUT too. */
const byPut = new Set(['/generate', '/encode', '/classify']);

/** Before OpenAI's paths at OpenVINO and KServe. */
const foreignBase = /^\/(?:v3(?:\/v1)?|openai\/v1)(?=\/)/;

/** Triton and KServe. The name is one segment, and without anything encoded. */
const inference = /^\/v2\/models\/[\w.@+~-]+(?:\/versions\/\d+)?\/(?:infer|generate|generate_stream)$/;
const prediction =
  /^\/v1\/models\/[\w.@+~-]+(?:\/(?:versions|labels)\/[\w.-]+)?:(?:predict|classify|regress|explain)$/;

/** It computes alone, at each of these engines, where one whose kind says nothing (undefined) may be any. Pure. */
export function computes(method: string, path: string, engines: readonly (AsItIs | undefined)[]): boolean {
  return engines.every((engine) =>
    engine ? computesAt(engine, method, path) : computesAnywhere(method, path),
  );
}

function computesAt({ computing: own }: AsItIs, method: string, path: string): boolean {
  return method === 'POST' && (endpointAt.has(path) || own.includes(path));
}

function computesAnywhere(method: string, path: string): boolean {
  if (method === 'PUT') return byPut.has(path);
  if (method !== 'POST') return false;
  if (endpointAt.has(path) || computing.has(path)) return true;
  if (foreignBase.test(path) && endpointAt.has(path.replace(foreignBase, '/v1'))) return true;
  return inference.test(path) || prediction.test(path);
}
