import type { Clock } from '../io/clock.ts';
import type { ChatPrompt } from './chat-prompt.ts';
import type { LoadedEngine } from './load-engine.ts';
import type { EngineMetrics } from './metrics.ts';
import type { EmbeddedOptions } from './options.ts';
import type { Scheduler } from './scheduler.ts';

/** Everything the routes work with, once the model is loaded. */
export interface Service {
  readonly engine: LoadedEngine;
  readonly scheduler: Scheduler;
  readonly metrics: EngineMetrics;
  readonly chatPrompt: ChatPrompt;
  readonly options: EmbeddedOptions;
  readonly clock: Clock;
  /** The model's name in replies. */
  readonly name: string;
}
