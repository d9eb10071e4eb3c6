import { z } from 'zod';
import { ByteSize, PositiveDuration } from '../domain/units.ts';

/** Keys of `target:` for containers. Where the daemon listens is said by DOCKER_HOST, as for Docker's own programs. */
export const DockerOptions = z.strictObject({
  kind: z.literal('docker'),
  image: z
    .string()
    .min(1)
    .optional()
    .describe("image; by default the engine's own for what it computes on")
    .meta({ examples: ['vllm/vllm-openai:v0.18.0'] }),
  entrypoint: z
    .array(z.string().min(1))
    .min(1)
    .optional()
    .describe("program in the image, before the engine's arguments"),
  pull: z.enum(['missing', 'always', 'never']).default('missing').describe('when the image is fetched'),
  pullTimeout: PositiveDuration.prefault('10m').describe('longest silence of a pull'),
  network: z
    .enum(['bridge', 'host'])
    .default('bridge')
    .describe('bridge publishes the port on loopback alone; host shares the network of the machine'),
  shm: ByteSize.optional().describe('shared memory; by default what the engine asks for'),
  ipc: z.enum(['private', 'host']).default('private').describe('whether it shares the memory of the machine'),
  gpuIds: z.array(z.string().min(1)).min(1).optional().describe('GPUs by UUID or index, in place of any'),
  user: z.string().min(1).optional().describe('user that it runs as, such as "2000:0"'),
  restart: z
    .enum(['unless-stopped', 'on-failure', 'no'])
    .default('unless-stopped')
    .describe('when the daemon starts it again'),
  hostConfig: z
    .record(z.string(), z.unknown())
    .optional()
    .describe("keys of the API's HostConfig as they are, over what berth writes"),
});
export type DockerOptions = z.infer<typeof DockerOptions>;
