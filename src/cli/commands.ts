import type { CommandEntry } from './command.ts';

/** Every command, in the order of the help page. `--help` must not load them. */
export const commands: readonly CommandEntry[] = [
  {
    name: 'scan',
    summary: 'Show which model servers run on this machine, and what is wrong with them.',
    load: () => import('./commands/scan.ts'),
  },
  {
    name: 'audit',
    summary: 'Say what is wrong with what serves models here, with evidence and cures.',
    load: () => import('./commands/audit.ts'),
  },
  {
    name: 'doctor',
    summary: 'Look at what engines need of a machine: GPUs, containers, limits, disks; with cures.',
    load: () => import('./commands/doctor.ts'),
  },
  {
    name: 'describe',
    summary: 'Write down what runs where, why, on which port, and how it is managed.',
    load: () => import('./commands/describe.ts'),
  },
  {
    name: 'init',
    summary: 'Write a first fleet file for this machine.',
    load: () => import('./commands/init.ts'),
  },
  {
    name: 'adopt',
    summary: 'Take over servers that run already: into the fleet file, without a restart.',
    load: () => import('./commands/adopt.ts'),
  },
  {
    name: 'disown',
    summary: 'Take the mark off what was adopted, and leave it running.',
    load: () => import('./commands/disown.ts'),
  },
  {
    name: 'remove',
    summary: 'Remove an object that is not of a fleet, named one by one; its definition is kept.',
    load: () => import('./commands/remove.ts'),
  },
  {
    name: 'restore',
    summary: 'Make again what "berth remove" has removed.',
    load: () => import('./commands/restore.ts'),
  },
  {
    name: 'validate',
    summary: 'Check the fleet file: every fault at once, with line, column and cure.',
    load: () => import('./commands/validate.ts'),
  },
  {
    name: 'plan',
    summary: 'Show what apply would do, and why.',
    load: () => import('./commands/plan.ts'),
  },
  {
    name: 'render',
    summary: 'Write the fleet down for other tools, such as manifests of Kubernetes.',
    load: () => import('./commands/render.ts'),
  },
  {
    name: 'apply',
    summary: 'Start, replace and stop engines until they are as the file says.',
    load: () => import('./commands/apply.ts'),
  },
  {
    name: 'move',
    summary: 'Run a deployment elsewhere: start there, take the requests over, end here.',
    load: () => import('./commands/move.ts'),
  },
  {
    name: 'consolidate',
    summary: 'Have each model served once, and all in one place, without a failed request.',
    load: () => import('./commands/consolidate.ts'),
  },
  {
    name: 'rollback',
    summary: 'Have deployments again as they were before their last change.',
    load: () => import('./commands/rollback.ts'),
  },
  {
    name: 'up',
    summary: 'Apply, open gateway and console, and stay.',
    load: () => import('./commands/up.ts'),
    readsAgain: true,
  },
  {
    name: 'serve',
    summary: 'In a cluster: open the gateway alone, and follow the engines as they come and go.',
    load: () => import('./commands/serve.ts'),
    readsAgain: true,
  },
  {
    name: 'down',
    summary: 'Stop the engines, gateway and console of this fleet.',
    load: () => import('./commands/down.ts'),
  },
  {
    name: 'drain',
    summary: 'Empty a host: no new requests, those under way end, its engines stop.',
    load: () => import('./commands/drain.ts'),
  },
  {
    name: 'start',
    summary: 'Start deployments that do not run.',
    load: () => import('./commands/start.ts'),
  },
  {
    name: 'stop',
    summary: 'Stop deployments, their requests first; they stand still until they are started.',
    load: () => import('./commands/stop.ts'),
  },
  {
    name: 'restart',
    summary: 'Restart deployments, whatever they are like.',
    load: () => import('./commands/restart.ts'),
  },
  {
    name: 'status',
    summary: 'Show what of the fleet runs.',
    load: () => import('./commands/status.ts'),
  },
  {
    name: 'top',
    summary: 'Watch what every engine does: slots, tokens per second, cache, processor, memory, GPUs.',
    load: () => import('./commands/top.ts'),
  },
  {
    name: 'verify',
    summary: 'Check that everything is there, answers, and serves the right model.',
    load: () => import('./commands/verify.ts'),
  },
  {
    name: 'journal',
    summary: 'Show who changed which engines, when and by which command.',
    load: () => import('./commands/journal.ts'),
  },
  {
    name: 'keys',
    summary: "Make, list, rotate and revoke keys for the gateway's clients.",
    load: () => import('./commands/keys.ts'),
  },
  {
    name: 'console',
    summary: 'Print the address of the web console.',
    load: () => import('./commands/console.ts'),
  },
  {
    name: 'logs',
    summary: 'Show the output of engines and gateway.',
    load: () => import('./commands/logs.ts'),
  },
  {
    name: 'gateway',
    summary: 'Measure what the running gateway adds to going to an engine directly.',
    load: () => import('./commands/gateway.ts'),
  },
  {
    name: 'bench',
    summary: 'Measure a server: latencies and tokens per second under a load.',
    load: () => import('./commands/bench.ts'),
  },
  {
    name: 'report',
    summary: 'Show the report of a run as text, JSON, CSV or HTML.',
    load: () => import('./commands/report.ts'),
  },
  {
    name: 'runs',
    summary: 'List the benchmarks that were run here.',
    load: () => import('./commands/runs.ts'),
  },
  {
    name: 'merge',
    summary: 'Make one run of the shards that several clients measured together.',
    load: () => import('./commands/merge.ts'),
  },
  {
    name: 'compare',
    summary: 'Hold runs against a baseline, with intervals; exit code 4 when one is worse.',
    load: () => import('./commands/compare.ts'),
  },
  {
    name: 'experiment',
    summary: 'Hold the arms of experiments against each other while they run.',
    load: () => import('./commands/experiment.ts'),
  },
  {
    name: 'baseline',
    summary: 'Give a run a name to hold others against.',
    load: () => import('./commands/baseline.ts'),
  },
  {
    name: 'check-claims',
    summary: 'Recompute published figures from those beside them, and show the arithmetic.',
    load: () => import('./commands/check-claims.ts'),
  },
  {
    name: 'schema',
    summary: 'Print the JSON Schema of the fleet file.',
    load: () => import('./commands/schema.ts'),
  },
  {
    name: 'pull',
    summary: 'Fetch models into the store: in parallel, proved, and going on where it stopped.',
    load: () => import('./commands/pull.ts'),
  },
  {
    name: 'models',
    summary: 'Show, describe, verify and prune the models in the store.',
    load: () => import('./commands/models.ts'),
  },
  {
    name: 'engine',
    summary: 'Install, list and remove the engine that berth brings itself.',
    load: () => import('./commands/engine.ts'),
  },
  {
    name: 'dev',
    summary: 'Tools for developing and measuring, such as models with random weights.',
    load: () => import('./commands/dev.ts'),
  },
];
