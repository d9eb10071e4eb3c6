import { z } from 'zod';

/**
 * How an endpoint tells of errors. `openai` and `responses` share OpenAI's envelope and differ inside a stream;
 * `anthropic` has its own in both places.
 */
export type Dialect = 'openai' | 'responses' | 'anthropic';

/** A path that names a model and that an engine answers; by POST, all of them. */
export interface Endpoint {
  readonly path: string;
  /** What it is for, as the docs say it. */
  readonly what: string;
  /** gen_ai.operation.name of OpenTelemetry's GenAI conventions where they have a word for it. */
  readonly operation: string;
  /** Where the model is named: a top-level key of a JSON object, or a field of a multipart form. */
  readonly body: 'json' | 'form';
  /** True when the body may leave the model out as long as only one is served. */
  readonly modelOptional: boolean;
  /** The engine understands stream_options.include_usage here. */
  readonly usageInStream: boolean;
  readonly dialect: Dialect;
  /** Paths under which engines have this very endpoint, itself included: which of them is asked for makes no difference. */
  readonly same: readonly string[];
}

const usual = { modelOptional: false, usageInStream: false, dialect: 'openai' } as const;
const rerankPaths = ['/v1/rerank', '/rerank', '/v2/rerank', '/v1/reranking', '/reranking'];
const scorePaths = ['/v1/score', '/score'];

/** Every endpoint that is forwarded. Add one: a line here, and its path at the engines that have it. */
export const endpoints: readonly Endpoint[] = [
  json('/v1/chat/completions', 'chat', 'Chat', { usageInStream: true }),
  json('/v1/chat/completions/input_tokens', 'count_tokens', 'Tokens that a chat would take'),
  json('/v1/completions', 'text_completion', 'Completion of a text', { usageInStream: true }),
  json('/v1/responses', 'chat', "OpenAI's Responses", { dialect: 'responses' }),
  json('/v1/responses/input_tokens', 'count_tokens', 'Tokens that a response would read'),
  json('/v1/messages', 'chat', "Anthropic's Messages", { dialect: 'anthropic' }),
  json('/v1/messages/count_tokens', 'count_tokens', 'Tokens that a message would read', {
    dialect: 'anthropic',
  }),
  json('/v1/embeddings', 'embeddings', 'Embeddings'),
  ...rerankPaths.map((path) => json(path, 'rerank', 'Documents by relevance', { same: rerankPaths })),
  ...scorePaths.map((path) => json(path, 'score', 'Similarity of texts', { same: scorePaths })),
  json('/classify', 'classify', 'Classes of a text'),
  json('/pooling', 'pooling', 'Hidden states of a text'),
  json('/tokenize', 'tokenize', 'Tokens of a text', { modelOptional: true }),
  json('/detokenize', 'detokenize', 'Text of tokens', { modelOptional: true }),
  json('/apply-template', 'apply_template', 'Prompt that a chat becomes', { modelOptional: true }),
  json('/infill', 'text_completion', 'Code between two pieces', { modelOptional: true }),
  form('/v1/audio/transcriptions', 'transcription', 'Text of speech'),
  form('/v1/audio/translations', 'translation', 'English text of speech'),
  json('/v1/audio/speech', 'speech', 'Speech of a text'),
  json('/v1/images/generations', 'image_generation', 'Images of a text'),
  form('/v1/images/edits', 'image_generation', 'Images edited by a text'),
  json('/v1/moderations', 'moderation', 'Moderation of a text'),
];

type Traits = Partial<Pick<Endpoint, 'modelOptional' | 'usageInStream' | 'dialect' | 'same'>>;

function json(path: string, operation: string, what: string, traits: Traits = {}): Endpoint {
  return { path, what, operation, body: 'json', ...usual, same: [path], ...traits };
}

/** A form's model is always named: without it nobody could tell where the form should go. */
function form(path: string, operation: string, what: string): Endpoint {
  return { path, what, operation, body: 'form', ...usual, same: [path] };
}

/** Paths of endpoints as a fleet file lists them for a server that berth does not know. */
export const EndpointPaths = z
  .array(z.enum(endpoints.map(({ path }) => path)))
  .min(1)
  .describe('endpoints that it has; by default any request is sent to it');
