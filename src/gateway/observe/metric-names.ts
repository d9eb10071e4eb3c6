import { secondBounds } from '../../domain/experiment-tally.ts';

/**
 * The names of OpenTelemetry's GenAI conventions in one place, since they are still in development and some are about
 * to be replaced. Prometheus form: dots become underscores, the unit is appended.
 */
export const genAi = {
  requestDuration: 'gen_ai_server_request_duration_seconds',
  timeToFirstToken: 'gen_ai_server_time_to_first_token_seconds',
  timePerOutputToken: 'gen_ai_server_time_per_output_token_seconds',
  tokenUsage: 'gen_ai_client_token_usage',
  labels: {
    operation: 'gen_ai_operation_name',
    provider: 'gen_ai_provider_name',
    requestModel: 'gen_ai_request_model',
    tokenType: 'gen_ai_token_type',
    error: 'error_type',
  },
} as const;

/**
 * Buckets. `long` and `short` (seconds) are berth's own. The others are the convention's, extended: it ends at 10 s for the first
 * token, and prefill on CPUs and model loading take far longer.
 */
export const bounds = {
  ...secondBounds,
  duration: [
    0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92, 300, 1800,
  ],
  firstToken: [
    0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 30, 60, 120, 300,
    600, 1800,
  ],
  perToken: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5],
  tokens: [
    1, 4, 16, 64, 256, 1024, 4096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304, 16_777_216, 67_108_864,
  ],
} as const;
