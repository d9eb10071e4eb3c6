import { join } from 'node:path';
import type { Command } from 'commander';
import type { CliContext } from '../context.ts';
import { countOption } from '../count-option.ts';
import { addFileOption } from '../fleet-file.ts';
import type { GatewayBenchOptions } from '../bench/gateway-bench.ts';

export const examples = [
  ['berth gateway bench', 'What the gateway adds to going to the engine directly, measured here and now.'],
  ['berth gateway bench small --pairs 500', 'The same for one deployment, more exactly.'],
] as const;

export function configure(command: Command, context: CliContext): void {
  const bench = command
    .command('bench')
    .argument('[deployment]', 'through which engine (default: the first of the file)')
    .description(
      'Compare the running gateway with a direct connection to the engine, and with nginx where that is.',
    )
    .option('--pairs <count>', 'turns of each way', countOption(10, 5000), 200)
    .option('--streams <count>', 'requests at once in a turn', countOption(1, 256), 1)
    .option('--tokens <count>', 'longest answer', countOption(1, 512), 16)
    .option('--seconds <count>', 'begin no turn after that long', countOption(1, 600), 60)
    .option('--no-nginx', 'leave nginx out');
  addFileOption(bench).action(async (deployment: string | undefined, options: GatewayBenchOptions) => {
    const [{ gatewayBench }, { overheadText }] = await Promise.all([
      import('../bench/gateway-bench.ts'),
      import('../text/overhead-text.ts'),
    ]);
    const folder = join(context.world.places.runtime, `gateway-bench-${process.pid}`);
    const report = await gatewayBench(context, { ...options, deployment: deployment ?? null, folder });
    context.output.result(report, () => overheadText(report));
  });
}
