import type { LaunchSpec } from '../../domain/launch-spec.ts';

const repository = 'ghcr.io/ggml-org/llama.cpp';

/** The images that llama.cpp's project builds, and the server in them. */
export function llamaImages(build?: string): Pick<LaunchSpec['program'], 'images' | 'imageCommand'> {
  const pin = build === undefined ? '' : `-${build}`;
  return {
    images: {
      cpu: `${repository}:server${pin}`,
      cuda: `${repository}:server-cuda${pin}`,
      rocm: `${repository}:server-rocm${pin}`,
      vulkan: `${repository}:server-vulkan${pin}`,
    },
    imageCommand: ['/app/llama-server'],
  };
}
