import type { LlamaContext, LlamaContextSequence, SequenceEvaluateOptions, Token } from 'node-llama-cpp';
import type { Decoder, Sampler, Sampling, StepItem } from './decoder.ts';

interface LibrarySampler extends Sampler {
  readonly recent: readonly number[];
  /** Made by the first step that draws; its `next` evaluates the token it gave last. */
  generated: AsyncGenerator<Token, void, void | Token | Token[]> | null;
}

/**
 * The library's public interface: one generator a slot, all asked at once so that their tokens share a decode.
 * Slower than the direct way by its queues, and free of internals.
 */
export function libraryDecoder(
  context: LlamaContext,
  slots: number,
  biasOf: (bias: ReadonlyMap<number, number>) => SequenceEvaluateOptions['tokenBias'],
): Decoder {
  const sequences = Array.from({ length: slots }, () => context.getSequence());
  return {
    kind: 'library',
    step: (items) =>
      Promise.all(items.map((item) => stepOne(sequences[item.slot] as LlamaContextSequence, item, biasOf))),
    forget: (slot, position) => forget(sequences[slot] as LlamaContextSequence, position),
    sampler: (sampling, recent) => {
      const made: LibrarySampler = {
        sampling,
        recent,
        generated: null,
        [Symbol.dispose]: () => void made.generated?.return(),
      };
      return made;
    },
  };
}

async function stepOne(
  sequence: LlamaContextSequence,
  item: StepItem,
  biasOf: (bias: ReadonlyMap<number, number>) => SequenceEvaluateOptions['tokenBias'],
): Promise<number | null> {
  const tokens = [...item.tokens] as Token[];
  if (!item.sampler) {
    await sequence.evaluateWithoutGeneratingNewTokens(tokens);
    return null;
  }
  const sampler = item.sampler as LibrarySampler;
  sampler.generated ??= sequence.evaluate(tokens, optionsOf(sampler, biasOf(sampler.sampling.bias)));
  const next = await sampler.generated.next();
  if (next.done) throw new Error('The library ended a generation by itself.');
  return next.value;
}

async function forget(sequence: LlamaContextSequence, position: number): Promise<number> {
  if (position <= 0) await sequence.clearHistory();
  else if (sequence.nextTokenIndex > position)
    await sequence.eraseContextTokenRanges([{ start: position, end: sequence.nextTokenIndex }]);
  return Math.min(sequence.nextTokenIndex, position);
}

function optionsOf(
  { sampling, recent }: { sampling: Sampling; recent: readonly number[] },
  tokenBias: SequenceEvaluateOptions['tokenBias'],
): SequenceEvaluateOptions {
  const { penalties } = sampling;
  return {
    temperature: sampling.temperature,
    topK: sampling.topK,
    topP: sampling.topP,
    minP: sampling.minP,
    seed: sampling.seed,
    yieldEogToken: true,
    ...(tokenBias && { tokenBias }),
    ...(penalties && {
      repeatPenalty: {
        punishTokens: recent.slice(-penalties.window) as Token[],
        maxPunishTokens: penalties.window,
        penalty: penalties.repeat,
        presencePenalty: penalties.presence,
        frequencyPenalty: penalties.frequency,
      },
    }),
  };
}
