import type { Llama, LlamaContext, LlamaModel, SequenceEvaluateOptions, Token } from 'node-llama-cpp';
import { BerthError } from '../domain/errors/berth-error.ts';
import type { Log } from '../io/log.ts';
import { fileTypeName } from '../model-files/gguf-types.ts';
import type { GgufHeader } from '../model-files/gguf-types.ts';
import type { Decoder } from './decoder.ts';
import { directDecoder, selfTest } from './direct-decoder.ts';
import { libraryDecoder } from './library-decoder.ts';
import type { Library } from './load-library.ts';
import type { EmbeddedOptions } from './options.ts';
import type { Pieces } from './pieces.ts';
import { piecesOf } from './pieces.ts';

/** A loaded model with everything the server asks of it. */
export interface LoadedEngine {
  readonly decoder: Decoder;
  /** Tokens of a text. `special`: texts of control tokens become these tokens. */
  readonly tokenize: (text: string, special: boolean) => number[];
  /** Put in front of every prompt; null when the model wants none. */
  readonly beginToken: number | null;
  readonly beginText: string;
  readonly endText: string;
  readonly endTokens: readonly number[];
  /** Text of an answer: control tokens are silent. */
  readonly pieces: Pieces;
  /** Text with control tokens spelled out. */
  readonly spelled: Pieces;
  readonly chatTemplate: string | null;
  readonly facts: {
    readonly vocabulary: number;
    readonly trainContext: number;
    readonly width: number;
    readonly parameters: number;
    readonly bytes: number;
    readonly fileType: string;
    readonly build: string;
    readonly threads: number;
  };
  readonly embed: (tokens: readonly number[]) => Promise<readonly number[]>;
}

export async function loadEngine(
  library: Library,
  header: GgufHeader,
  options: EmbeddedOptions & { threads: number },
  log: Log,
): Promise<LoadedEngine> {
  const said: string[] = [];
  try {
    const llama = await openLibrary(library, options, said, log);
    const model = await llama.loadModel({ modelPath: options.model });
    const context = await model.createContext({
      sequences: options.slots,
      contextSize: options.context,
      threads: options.threads,
      batchSize: options.batch,
      flashAttention: options.flashAttention === 'auto' ? 'auto' : options.flashAttention === 'on',
    });
    const decoder = await chooseDecoder(library, model, context, options, log);
    return engineOf({ llama, model, decoder, header, options });
  } catch (error) {
    if (error instanceof library.NoBinaryFoundError)
      throw new BerthError('ENGINE_BUILD_MISSING', { gpu: options.gpu }, { cause: error });
    // The exception says only that it failed; the reason is the first fault that the library printed.
    const reason =
      said.find((line) => line !== '') ?? (error instanceof Error ? error.message : String(error));
    throw new BerthError('MODEL_NOT_LOADED', { path: options.model, reason }, { cause: error });
  }
}

/** Never builds and never downloads. Faults that the library prints are collected in `said`. */
function openLibrary(
  library: Library,
  options: EmbeddedOptions & { threads: number },
  said: string[],
  log: Log,
): Promise<Llama> {
  return library.getLlama({
    gpu: options.gpu === 'off' ? false : options.gpu,
    build: 'never',
    skipDownload: true,
    maxThreads: options.threads,
    logLevel: library.LlamaLogLevel.warn,
    logger: (level, message) => {
      if (level === library.LlamaLogLevel.error || level === library.LlamaLogLevel.fatal)
        said.push(message.trim());
      log.debug('The library says something.', { text: message.trim() });
    },
  });
}

async function chooseDecoder(
  library: Library,
  model: LlamaModel,
  context: LlamaContext,
  options: EmbeddedOptions,
  log: Log,
): Promise<Decoder> {
  function biasOf(bias: ReadonlyMap<number, number>): SequenceEvaluateOptions['tokenBias'] {
    if (bias.size === 0) return undefined;
    const made = library.TokenBias.for(model);
    for (const [token, logit] of bias) made.set(token as Token, logit === -Infinity ? 'never' : { logit });
    return made;
  }
  const plain = libraryDecoder(context, options.slots, biasOf);
  if (options.decoder === 'library') return plain;
  const direct = directDecoder(context);
  const token = model.tokens.bos ?? model.tokens.eos ?? 0;
  // The sequences of the plain one stay: those that are collected have their slot emptied by the library, amid an answer.
  if (direct && (options.decoder === 'direct' || (await selfTest(direct, plain, token))))
    return { ...direct, needs: plain };
  log.warn(
    'The direct way of decoding does not fit this version of the library; the slower public one is used.',
  );
  return plain;
}

function engineOf(parts: {
  llama: Llama;
  model: LlamaModel;
  decoder: Decoder;
  header: GgufHeader;
  options: EmbeddedOptions & { threads: number };
}): LoadedEngine {
  const { llama, model, decoder, header, options } = parts;
  const vocabulary = vocabularySize(header);
  function detokenize(special: boolean): Pieces {
    return (token) => Buffer.from(model.detokenize([token as Token], special), 'utf8');
  }
  return {
    decoder,
    tokenize: (text, special) => model.tokenize(text, special),
    beginToken: model.tokens.shouldPrependBosToken ? model.tokens.bos : null,
    beginText: model.tokens.bosString ?? '',
    endText: model.tokens.eosString ?? '',
    endTokens: endTokens(model, header, vocabulary),
    pieces: piecesOf(header, { special: false }) ?? detokenize(false),
    spelled: piecesOf(header, { special: true }) ?? detokenize(true),
    chatTemplate: textOf(header, 'tokenizer.chat_template'),
    facts: {
      vocabulary,
      trainContext: model.trainContextSize,
      width: model.embeddingVectorSize,
      parameters: header.tensors.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0),
      bytes: model.size,
      fileType: fileTypeName(header),
      build: `${llama.llamaCppRelease.release}`,
      threads: options.threads,
    },
    embed: embedder(model, options),
  };
}

/** The context for embeddings is made at the first request: most engines never need one. */
function embedder(model: LlamaModel, options: EmbeddedOptions & { threads: number }): LoadedEngine['embed'] {
  let context: ReturnType<LlamaModel['createEmbeddingContext']> | null = null;
  return async (tokens) => {
    context ??= model.createEmbeddingContext({
      contextSize: options.context,
      batchSize: options.batch,
      threads: options.threads,
    });
    const { vector } = await (await context).getEmbeddingFor([...tokens] as Token[]);
    return vector;
  };
}

function vocabularySize(header: GgufHeader): number {
  const tokens = header.metadata.get('tokenizer.ggml.tokens');
  return Array.isArray(tokens) ? tokens.length : 0;
}

/** All tokens that end an answer: only control and user-defined ones can, the rest need not be asked. */
function endTokens(model: LlamaModel, header: GgufHeader, vocabulary: number): number[] {
  const types = header.metadata.get('tokenizer.ggml.token_type');
  const found = new Set<number>();
  for (const token of [model.tokens.eos, model.tokens.eot]) if (token !== null) found.add(token);
  for (let token = 0; token < vocabulary; token += 1) {
    const kind = Array.isArray(types) ? Number(types[token]) : 1;
    if ((kind === 3 || kind === 4) && model.isEogToken(token as Token)) found.add(token);
  }
  return [...found];
}

function textOf(header: GgufHeader, key: string): string | null {
  const value = header.metadata.get(key);
  return typeof value === 'string' ? value : null;
}
