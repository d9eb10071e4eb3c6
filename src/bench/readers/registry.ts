import { aiperf } from './aiperf.ts';
import { guidellm } from './guidellm/reader.ts';
import { inferencePerf } from './inference-perf.ts';
import { vllmBench } from './vllm-bench.ts';

/** Every tool whose results berth reads. Add one: write its file beside these, then name it here. */
export const runReaders = [guidellm, vllmBench, aiperf, inferencePerf] as const;
