import { defineError } from './define.ts';

/** Faults of a benchmark: of its input, of the server it measures, of the folder it keeps. */
export const benchErrors = {
  PROMPTS_INVALID: defineError<{ path: string; faults: readonly string[] }>(
    (f) => `${f.path} is no file of prompts:\n${listed(f.path, f.faults)}`,
    () =>
      'A line of JSON is {"prompt": "…"} or {"messages": [{"role": "user", "content": "…"}]}; of CSV and Parquet the columns say the same, and --columns prompt=NAME names others.',
    'usage',
  ),
  TRACE_INVALID: defineError<{ path: string; faults: readonly string[] }>(
    (f) => `${f.path} is no trace:\n${listed(f.path, f.faults)}`,
    () =>
      'A trace is JSON lines of Mooncake, a CSV file of the Azure traces, or the access log of the gateway as JSON.',
    'usage',
  ),
  BENCH_TARGET_DOWN: defineError<{ url: string; reason: string }>(
    (f) => `The server at ${f.url} cannot be measured: ${f.reason}.`,
    () =>
      'Check that it runs and answers ("curl URL/v1/models"), and that its key is right (of a URL, --key-env names the variable that holds it).',
    'targetDown',
  ),
  BENCH_MODEL_UNKNOWN: defineError<{ url: string }>(
    (f) => `The server at ${f.url} lists no model, so there is none to ask for.`,
    () => 'Name one with --model.',
    'usage',
  ),
  BENCH_WORKER_FAILED: defineError<{ folder: string; reason: string }>(
    (f) => `The benchmark process ended early: ${f.reason}.`,
    (f) => `What was measured is in ${f.folder}.`,
  ),
  BENCH_UNKNOWN: defineError<{ name: string; known: string[] }>(
    (f) => `There is no benchmark ${f.name} in the fleet file.`,
    (f) =>
      `${f.known.length > 0 ? `It has: ${f.known.join(', ')}.` : 'It has none: add a "benchmarks" section.'} What serves is measured without one by its URL: "berth bench URL --model ${f.name}".`,
    'usage',
  ),
  SHARDS_UNFIT: defineError<{ reason: string }>(
    (f) => `These runs do not make one: ${f.reason}.`,
    () => 'Name every shard of one run, each once: "berth merge RUN-1 RUN-2 …".',
    'usage',
  ),
  RUN_OVER: defineError<{ run: string }>(
    (f) => `${f.run} reached its end, so there is nothing to go on with.`,
    () => '"berth bench --again RUN" measures the same once more.',
    'usage',
  ),
  TOKENIZER_INVALID: defineError<{ path: string; reason: string }>(
    (f) => `${f.path} is no tokenizer that can be used: ${f.reason}.`,
    () => 'It is to be a tokenizer.json as Hugging Face writes it, of the model that is measured.',
    'usage',
  ),
  RUN_GOES_ON: defineError<{ run: string }>(
    (f) => `${f.run} is still at work.`,
    () => 'Wait for its end, or interrupt it first.',
    'usage',
  ),
  RUN_UNKNOWN: defineError<{ run: string; folder: string }>(
    (f) => `There is no run ${f.run}.`,
    (f) => `"berth runs" lists those in ${f.folder}; the path of a run's folder will do too.`,
    'usage',
  ),
  BASELINE_UNKNOWN: defineError<{ name: string; known: readonly string[] }>(
    (f) => `No run is named @${f.name}.`,
    (f) =>
      f.known.length === 0
        ? `"berth baseline ${f.name} RUN" names one.`
        : `There are: ${f.known.map((each) => `@${each}`).join(', ')}.`,
    'usage',
  ),
  RUNS_UNEQUAL: defineError<{ run: string; differences: readonly string[] }>(
    (f) => `${f.run} did other work than the baseline:\n${f.differences.map((one) => `  ${one}`).join('\n')}`,
    () => 'Measure again with the same settings, or say --unequal to see the figures side by side.',
    'usage',
  ),
  RUNS_APART: defineError<{ base: string; run: string; stages: readonly string[] }>(
    (f) =>
      `${f.run} and ${f.base} have no figure of the same load in common (loads: ${f.stages.join(', ')}).`,
    () => 'Compare runs of the same streams or rates.',
    'usage',
  ),
  FORMAT_FOREIGN: defineError<{ path: string; tool: string; format: string }>(
    (f) => `${f.path} is a file of ${f.tool}, without the records that ${f.format} is made from.`,
    () => 'It can be shown as text and with --json, and compared with other runs.',
    'usage',
  ),
  RUN_FOREIGN: defineError<{ path: string; reason: string; known: readonly string[] }>(
    (f) => `${f.path} cannot be read: ${f.reason}.`,
    (f) => `berth reads its own runs, and: ${f.known.join('; ')}.`,
    'usage',
  ),
  CLAIMS_INVALID: defineError<{ path: string; faults: string[] }>(
    (f) => `${f.path} is no file of claims:\n${f.faults.map((fault) => `  ${f.path}:${fault}`).join('\n')}`,
    () => 'examples/figures.yaml shows every kind of claim.',
    'usage',
  ),
  PUBLISH_FAILED: defineError<{ place: string; reason: string }>(
    (f) => `The run could not be told to ${f.place}: ${f.reason}.`,
    () =>
      'The run itself is kept: mend the place or its keys, and tell it again with "berth report RUN --publish".',
  ),
  PUBLISHER_UNKNOWN: defineError<{ name: string; known: readonly string[] }>(
    (f) => `There is no publisher ${f.name} in the fleet file.`,
    (f) => (f.known.length > 0 ? `It has: ${f.known.join(', ')}.` : 'Add it under publishers.'),
    'usage',
  ),
  BENCH_NOT_WRITTEN: defineError<{ name: string; reason: string }>(
    (f) => `Benchmark ${f.name} cannot be written as a Job: ${f.reason}.`,
    (f) =>
      `Change that, or name what is to be written without ${f.name}; benchmarks.${f.name}.image names an image.`,
    'usage',
  ),
  BENCH_ELSEWHERE: defineError<{ name: string; host: string }>(
    (f) =>
      `The client of benchmark ${f.name} runs on ${f.host}, not here, and with other settings than the file's.`,
    (f) =>
      `Run "berth bench ${f.name}" by itself and without options, which starts its Job; or leave out runsOn to measure from here.`,
    'usage',
  ),
  BENCH_JOB_GONE: defineError<{ name: string; job: string }>(
    (f) => `The Job ${f.job} of benchmark ${f.name} was taken away before it ended.`,
    () => 'Look who deletes Jobs there ("kubectl get events"), and run it again.',
  ),
  RUN_UNREADABLE: defineError<{ path: string; reason: string }>(
    (f) => `${f.path} is not a file that this version can read: ${f.reason}.`,
    () => 'It may be of a newer berth; the raw records beside it can be read by any version.',
  ),
};

const mostListed = 100;

/** A file that is something else altogether has a fault a line: the facts hold all of them. */
function listed(path: string, faults: readonly string[]): string {
  const lines = faults.slice(0, mostListed).map((fault) => `  ${path}:${fault}`);
  const more = faults.length - lines.length;
  return [...lines, ...(more > 0 ? [`  and ${more} more`] : [])].join('\n');
}
