import type { FoundServer } from './find-servers.ts';
import type { Seen } from './seen.ts';

/** Words that model servers nobody knows by name still carry in their command lines. */
const hints =
  /\.gguf\b|\.safetensors\b|llama|\bllm|vllm|transformers|exllama|lmdeploy|mlx_lm|openai|inference|huggingface/i;

/** Our own processes that answer in OpenAI shape without being a model server. */
const own =
  /(^|\/)programs\/(gateway|truth-server|bench-worker|embedded)\.(ts|js)$|(^|\/)\.?bin\/berth(\.js)?$/;

/** Listening processes that look like model servers and that no engine knows: worth asking who they are. */
export function suspects(found: readonly FoundServer[], seen: Seen): FoundServer[] {
  const known = new Set(found.flatMap((server) => server.family.map((entry) => entry.pid)));
  return [...seen.table.processes.values()].flatMap((entry) => {
    const listeners = seen.listeners.filter(
      (listener) => listener.pids.includes(entry.pid) && listener.netns === seen.ownNetns,
    );
    const hinted = entry.argv.some((word) => hints.test(word)) && !entry.argv.some((word) => own.test(word));
    if (listeners.length === 0 || known.has(entry.pid) || !hinted) return [];
    const recognized = { engine: 'unknown', model: null, host: null, port: null, options: {}, child: false };
    return [{ entry, recognized, children: [], family: [entry], listeners }];
  });
}
