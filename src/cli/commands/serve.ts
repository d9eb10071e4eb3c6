import type { Command } from 'commander';
import type { LoadedFleet } from '../../fleet/file/resolve.ts';
import type { CliContext } from '../context.ts';
import { addFileOption, loadFrom } from '../fleet-file.ts';
import type { FileOptions } from '../fleet-file.ts';
import { namespaceOption } from '../namespace-option.ts';

export const examples = [
  ['berth serve', 'In a pod: fronts the engines of the fleet in the namespace of this pod.'],
  [
    'berth serve --file servers.yaml',
    'Anywhere, where the file names all servers itself: no cluster is asked.',
  ],
  ['berth serve --context k3s --namespace llm', 'The same from a machine that reaches the pods.'],
] as const;

interface ServeCommandOptions extends FileOptions {
  readonly context: string;
  readonly namespace?: string;
  readonly engineKeys?: string;
  readonly allowAnonymous?: boolean;
}

/** What a pod is told of where it is. */
const namespaceFile = '/var/run/secrets/kubernetes.io/serviceaccount/namespace';

export function configure(command: Command, context: CliContext): void {
  addFileOption(command)
    .option('--context <name>', 'context of the kubeconfig', 'in-cluster')
    .option(
      '--namespace <name>',
      'where the engines are (default: the namespace of this pod)',
      namespaceOption,
    )
    .option(
      '--engine-keys <folder>',
      'keys that engines ask for, a file for each deployment (default: where "berth apply" keeps them)',
    )
    .option('--allow-anonymous', 'serve anybody who reaches the gateway, if the file says so too')
    .action(async (options: ServeCommandOptions) => {
      const { world, output, signal, hangUps } = context;
      function load(): Promise<LoadedFleet> {
        return loadFrom(context, options, { opens: { allowAnonymous: options.allowAnonymous ?? false } });
      }
      const loaded = await load();
      const namespace = options.namespace ?? (await world.files.read(namespaceFile))?.trim();
      const { serve } = await import('../../fleet/up/serve.ts');
      await serve(world, loaded, {
        context: options.context,
        namespace: namespace || null,
        engineKeys: options.engineKeys ?? null,
        signal,
        onProgress: output.progress,
        reload: load,
        onReload: (listener, until) => {
          const stop = hangUps?.listen(listener);
          until.addEventListener('abort', () => stop?.(), { once: true });
        },
      });
    });
}
