import { usableCores } from '../../domain/hardware.ts';
import type { Hardware } from '../../domain/hardware.ts';

const GiB = 1024 ** 3;

/** A first fleet file with comments, fitted to the machine: slots by cores, the GPU line only where there is one. */
export function firstFleetFile(options: {
  /** Path or address of the JSON Schema, for editors. */
  schema: string;
  fleet: string;
  id: string;
  model: string | null;
  hardware: Hardware;
}): string {
  const { hardware } = options;
  const gpu = hardware.gpus.length > 0;
  const slots = Math.max(2, Math.min(4, Math.floor(usableCores(hardware.cpu) / 2)));
  return `# yaml-language-server: $schema=${options.schema}
# The fleet: which models run, how, and under which names they are served.
${machineText(hardware)}# "berth validate" checks this file, "berth plan" shows what would be done, "berth up" does it and serves.
version: 1
fleet: ${options.fleet}
# Tells this fleet apart from others of the same name. Keep it.
id: "${options.id}"

models:
  main:
    # A GGUF file. A relative path counts from the folder of this file.
    source: ${JSON.stringify(options.model ?? './model.gguf')}

deployments:
  # Clients ask for this name as "model".
  main:
    model: main
${gpu ? gpuText(slots) : cpuText(slots)}
    # Without a port, one is taken from 18400 up.
    # port: 18400

gateway:
  # The OpenAI-compatible API. Other addresses than loopback need keys:
  # keys: {me: "\${env:BERTH_KEY}"}
  listen: ["127.0.0.1:8484"]
  # More names for the same model:
  # routes: {gpt-4o-mini: main}

benchmarks:
  # "berth bench first" measures one stream, then two.
  first:
    of: main
    profile: {kind: concurrent, streams: [1, 2]}
    seconds: 30
`;
}

function machineText({ cpu, memory, gpus }: Hardware): string {
  const cores = usableCores(cpu);
  const parts = [
    `${cores} ${cores === 1 ? 'core' : 'cores'}`,
    `${size(memory.limitBytes ?? memory.totalBytes)} of memory`,
    ...gpus.map((gpu) => (gpu.memoryBytes === null ? gpu.name : `${gpu.name} with ${size(gpu.memoryBytes)}`)),
  ];
  return `# This machine: ${parts.join(', ')}.\n`;
}

function size(bytes: number): string {
  return `${Math.round(bytes / GiB)} GiB`;
}

function cpuText(slots: number): string {
  return `    engine:
      # The engine that berth brings itself; it computes on the CPU. For a llama-server of your own: kind: llama.cpp
      kind: embedded
      # Requests answered at once, and tokens of each (prompt and answer together).
      slots: ${slots}
      context: 4096`;
}

function gpuText(slots: number): string {
  return `    # GPUs that each replica is given.
    gpus: 1
    engine:
      # llama-server, which you have installed with support for this GPU. For the CPU engine of berth: kind: embedded
      kind: llama.cpp
      # Requests answered at once, and tokens of each (prompt and answer together).
      slots: ${slots}
      context: 4096
      gpuLayers: all`;
}
