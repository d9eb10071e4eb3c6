/** A provider of LiteLLM that speaks OpenAI's API below `/v1` of its address. */
interface Provider {
  /** Null where each server has one of its own. */
  readonly url: string | null;
  /** The variable in which LiteLLM looks for the key of an entry that names none. */
  readonly key: string | null;
}

const named: Provider = { url: null, key: null };

const providers: Readonly<Record<string, Provider>> = {
  openai: { url: 'https://api.openai.com', key: 'OPENAI_API_KEY' },
  'text-completion-openai': { url: 'https://api.openai.com', key: 'OPENAI_API_KEY' },
  custom_openai: named,
  openai_like: named,
  litellm_proxy: named,
  hosted_vllm: named,
  vllm: named,
  lm_studio: { url: 'http://127.0.0.1:1234', key: null },
  llamafile: { url: 'http://127.0.0.1:8080', key: null },
  ollama: { url: 'http://127.0.0.1:11434', key: null },
  ollama_chat: { url: 'http://127.0.0.1:11434', key: null },
  groq: { url: 'https://api.groq.com/openai', key: 'GROQ_API_KEY' },
  mistral: { url: 'https://api.mistral.ai', key: 'MISTRAL_API_KEY' },
  deepseek: { url: 'https://api.deepseek.com', key: 'DEEPSEEK_API_KEY' },
  openrouter: { url: 'https://openrouter.ai/api', key: 'OPENROUTER_API_KEY' },
  together_ai: { url: 'https://api.together.xyz', key: 'TOGETHERAI_API_KEY' },
  xai: { url: 'https://api.x.ai', key: 'XAI_API_KEY' },
  fireworks_ai: { url: 'https://api.fireworks.ai/inference', key: 'FIREWORKS_AI_API_KEY' },
  nvidia_nim: { url: 'https://integrate.api.nvidia.com', key: 'NVIDIA_NIM_API_KEY' },
  cerebras: { url: 'https://api.cerebras.ai', key: 'CEREBRAS_API_KEY' },
  sambanova: { url: 'https://api.sambanova.ai', key: 'SAMBANOVA_API_KEY' },
};

/** Models that LiteLLM takes for OpenAI's where no provider is named. */
const ofOpenAi = /^(?:gpt-|chatgpt-|o\d|ft:|text-|davinci|babbage|whisper|tts-|dall-e|omni-)/;

/** Where the model of an entry is, as LiteLLM reads it. */
export interface ServedBy {
  readonly provider: string;
  /** As its server has it. */
  readonly model: string;
  readonly url: string | null;
}

/** A reason where no server of OpenAI's API is known by it. `stated`: `custom_llm_provider`; `url`: the address that the entry names. */
export function servedBy(
  model: string,
  { stated, url }: { stated: string | null; url: string | null },
): ServedBy | string {
  const slash = model.indexOf('/');
  const first = slash < 0 ? null : model.slice(0, slash);
  const provider = stated ?? first ?? 'openai';
  if (stated === null && first === null && url === null && !ofOpenAi.test(model))
    return 'It names no provider, and is no model of OpenAI that berth knows.';
  const known = Object.hasOwn(providers, provider) ? providers[provider] : undefined;
  if (!known)
    return `Berth speaks to servers with OpenAI's API below /v1, and does not know that ${provider} has it.`;
  return { provider, model: first === provider ? model.slice(slash + 1) : model, url: url ?? known.url };
}

/** The variable with the key of an entry that names none; a key of a provider goes to no other address. */
export function usualKey({ provider, url }: ServedBy): string | null {
  const known = providers[provider];
  return known?.url && `${url}/`.startsWith(`${known.url}/`) ? known.key : null;
}
