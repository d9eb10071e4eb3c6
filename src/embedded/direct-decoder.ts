import type { LlamaContext } from 'node-llama-cpp';
import type { Decoder, Sampler, Sampling, StepItem } from './decoder.ts';

/**
 * Drives the library's native context below its public interface: one batch and one decode for all slots, then one
 * draw a slot. Saves the library's queues and per-sequence bookkeeping on every token. The members used here are
 * internal to the library, so `directDecoder` gives null when they look different, and `selfTest` must pass before
 * anything relies on it; the way out is the library decoder.
 */
interface NativeContext {
  readonly initBatch: (size: number) => void;
  readonly addToBatch: (
    slot: number,
    position: number,
    tokens: Uint32Array,
    wanted: Uint32Array,
  ) => Uint32Array;
  readonly decodeBatch: () => Promise<void>;
  readonly sampleToken: (logits: number, sampler: NativeSampler) => Promise<number>;
  readonly disposeSequence: (slot: number) => void;
  readonly removeTokenCellsFromSequence: (slot: number, start: number, end: number) => boolean;
}

interface NativeSampler {
  readonly applyConfig: (config: Record<string, unknown>) => void;
  readonly dispose: () => void;
}

interface Internals {
  readonly context: NativeContext;
  readonly newSampler: () => NativeSampler;
}

interface DirectSampler extends Sampler {
  readonly native: NativeSampler;
}

const nothing = new Uint32Array(0);

/** Null when the library does not look as expected. */
export function directDecoder(context: LlamaContext): Decoder | null {
  const internals = internalsOf(context);
  if (!internals) return null;
  const { context: native, newSampler } = internals;
  return {
    kind: 'direct',
    step: (items) => step(native, items),
    forget: (slot, position) => Promise.resolve(forget(native, slot, position)),
    sampler: (sampling, recent) => {
      const sampler = newSampler();
      sampler.applyConfig(configOf(sampling, recent));
      const made: DirectSampler = { sampling, native: sampler, [Symbol.dispose]: () => sampler.dispose() };
      return made;
    },
  };
}

async function step(native: NativeContext, items: readonly StepItem[]): Promise<(number | null)[]> {
  native.initBatch(items.reduce((sum, item) => sum + item.tokens.length, 0));
  const logits = items.map(({ slot, position, tokens, sampler }) => {
    const wanted = sampler ? Uint32Array.of(tokens.length - 1) : nothing;
    return native.addToBatch(slot, position, Uint32Array.from(tokens), wanted)[0];
  });
  await native.decodeBatch();
  return Promise.all(
    items.map(async ({ sampler }, i) =>
      sampler ? native.sampleToken(logits[i] as number, (sampler as DirectSampler).native) : null,
    ),
  );
}

function forget(native: NativeContext, slot: number, position: number): number {
  if (position > 0 && native.removeTokenCellsFromSequence(slot, position, -1)) return position;
  native.disposeSequence(slot);
  return 0;
}

function configOf(sampling: Sampling, recent: readonly number[]): Record<string, unknown> {
  const { penalties, bias } = sampling;
  return {
    temperature: sampling.temperature,
    topK: sampling.topK,
    topP: sampling.topP,
    minP: sampling.minP,
    seed: sampling.seed,
    ...(penalties && {
      repeatPenalty: penalties.repeat,
      repeatPenaltyPresencePenalty: penalties.presence,
      repeatPenaltyFrequencyPenalty: penalties.frequency,
      repeatPenaltyMaxTokens: penalties.window,
      repeatPenaltyTokens: Uint32Array.from(recent.slice(-penalties.window)),
    }),
    ...(bias.size > 0 && {
      tokenBiasKeys: Uint32Array.from(bias.keys()),
      tokenBiasValues: Float32Array.from(bias.values()),
    }),
  };
}

function internalsOf(context: LlamaContext): Internals | null {
  const { _ctx: native, _model: model } = context as unknown as {
    _ctx?: Partial<NativeContext>;
    _model?: {
      _model?: unknown;
      _llama?: { _bindings?: { AddonSampler?: new (model: unknown) => NativeSampler } };
    };
  };
  const AddonSampler = model?._llama?._bindings?.AddonSampler;
  const addonModel = model?._model;
  const complete =
    native !== undefined &&
    (['initBatch', 'addToBatch', 'decodeBatch', 'sampleToken', 'disposeSequence'] as const).every(
      (name) => typeof native[name] === 'function',
    ) &&
    typeof native.removeTokenCellsFromSequence === 'function';
  if (!complete || typeof AddonSampler !== 'function' || !addonModel) return null;
  return { context: native as NativeContext, newSampler: () => new AddonSampler(addonModel) };
}

/** True when the direct way draws the same likeliest tokens as the library's own. Leaves slot 0 empty. */
export async function selfTest(direct: Decoder, library: Decoder, token: number): Promise<boolean> {
  try {
    const expected = await twoTokens(library, token);
    const found = await twoTokens(direct, token);
    return (
      expected.join() === found.join() && found.every((drawn) => typeof drawn === 'number' && drawn >= 0)
    );
  } catch {
    return false;
  }
}

async function twoTokens(decoder: Decoder, token: number): Promise<(number | null | undefined)[]> {
  const greedy: Sampling = {
    temperature: 0,
    topK: 1,
    topP: 1,
    minP: 0,
    seed: 0,
    penalties: null,
    bias: new Map(),
  };
  await decoder.forget(0, 0);
  using sampler = decoder.sampler(greedy, []);
  const [first] = await decoder.step([{ slot: 0, position: 0, tokens: [token, token], sampler }]);
  const [second] = await decoder.step([{ slot: 0, position: 2, tokens: [first ?? token], sampler }]);
  await decoder.forget(0, 0);
  return [first, second];
}
