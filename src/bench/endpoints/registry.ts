import { chat } from './chat.ts';
import { completions } from './completions.ts';
import { embeddings } from './embeddings.ts';
import { rerank } from './rerank.ts';
import { responses } from './responses.ts';

/** Every API that a benchmark can ask. Add one: write its file beside these, then name it here. */
export const benchEndpoints = [chat, completions, responses, embeddings, rerank] as const;

export type BenchEndpointKind = (typeof benchEndpoints)[number]['kind'];
