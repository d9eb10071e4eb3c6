/**
 * Paths of llama-server, beside those of `domain/endpoints`, by whose POST it computes alone. Not its route for predictions
 * (`AIP_MODE=PREDICTION`, "/predict" by default): what that does, the body says.
 */
export const llamaServerComputing: readonly string[] = [
  '/completion',
  '/completions',
  '/chat/completions',
  '/chat/completions/input_tokens',
  '/embedding',
  '/embeddings',
  '/responses',
  '/responses/input_tokens',
  '/audio/transcriptions',
];
