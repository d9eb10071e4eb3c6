import type { Inbound, Reply } from '../io/http-server/types.ts';
import { prometheusContentType } from '../stats/prometheus.ts';
import { exposition } from './metrics.ts';
import { Refusal, sendJson } from './refusal.ts';
import { samplingDefaults } from './sampling.ts';
import type { Service } from './service.ts';

/** What the server is and does, in the shapes of llama-server; fields without a meaning here are left out. */
export function models(service: Service, _inbound: Inbound, reply: Reply): void {
  const { facts } = service.engine;
  const { name, options } = service;
  const capabilities = options.embeddings ? ['completion', 'embedding'] : ['completion'];
  sendJson(reply, {
    models: [
      {
        name,
        model: name,
        type: 'model',
        capabilities,
        details: { format: 'gguf', quantization_level: facts.fileType },
      },
    ],
    object: 'list',
    data: [
      {
        id: name,
        aliases: [name],
        tags: [],
        object: 'model',
        created: Math.floor(service.clock.wall().getTime() / 1000),
        owned_by: 'berth',
        meta: {
          n_vocab: facts.vocabulary,
          n_ctx: options.context,
          n_ctx_train: facts.trainContext,
          n_embd: facts.width,
          n_params: facts.parameters,
          size: facts.bytes,
          ftype: facts.fileType,
        },
      },
    ],
  });
}

export function props(service: Service, _inbound: Inbound, reply: Reply): void {
  const { engine, options } = service;
  sendJson(reply, {
    default_generation_settings: {
      params: {
        temperature: samplingDefaults.temperature,
        top_k: samplingDefaults.topK,
        top_p: samplingDefaults.topP,
        min_p: samplingDefaults.minP,
        repeat_last_n: samplingDefaults.repeatWindow,
        repeat_penalty: 1,
        presence_penalty: 0,
        frequency_penalty: 0,
        max_tokens: -1,
        n_predict: -1,
      },
      n_ctx: options.context,
    },
    total_slots: options.slots,
    model_alias: service.name,
    model_ftype: engine.facts.fileType,
    model_path: options.model,
    modalities: { vision: false, video: false, audio: false },
    endpoint_slots: true,
    endpoint_props: false,
    endpoint_metrics: true,
    chat_template: engine.chatTemplate ?? '',
    bos_token: engine.beginText,
    eos_token: engine.endText,
    build_info: engine.facts.build,
    is_sleeping: false,
    berth: {
      engine: 'embedded',
      decoder: engine.decoder.kind,
      threads: engine.facts.threads,
      batch: options.batch,
    },
  });
}

export function slots(service: Service, inbound: Inbound, reply: Reply): void {
  const { scheduler, options } = service;
  const query = new URL(inbound.url, 'http://localhost').searchParams;
  if (query.get('fail_on_no_slot') === '1' && scheduler.slots.every((slot) => slot.busy))
    throw new Refusal(503, 'unavailable_error', 'no slot available');
  sendJson(
    reply,
    scheduler.slots.map((slot) => {
      const base = { id: slot.id, n_ctx: options.context, speculative: false, is_processing: slot.busy };
      const generation = scheduler.running.find((one) => one.slot === slot);
      if (!generation) return base;
      const { request, cachedTokens, position, outputTokens, id } = generation;
      const left = Number.isFinite(request.maxTokens) ? request.maxTokens - outputTokens : -1;
      return {
        ...base,
        id_task: id,
        n_prompt_tokens: request.prompt.length + outputTokens,
        n_prompt_tokens_processed: Math.min(position, request.prompt.length) - cachedTokens,
        n_prompt_tokens_cache: cachedTokens,
        next_token: [{ has_next_token: generation.finish === null, n_remain: left, n_decoded: outputTokens }],
      };
    }),
  );
}

export function metricsPage(service: Service, _inbound: Inbound, reply: Reply): void {
  const { scheduler, metrics } = service;
  const text = exposition(metrics, { processing: scheduler.running.length, deferred: scheduler.waiting });
  reply.head(200, ['Content-Type', prometheusContentType, 'Content-Length', String(Buffer.byteLength(text))]);
  reply.end(text);
}
