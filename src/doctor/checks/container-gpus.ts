import { findProgram } from '../../io/find-program.ts';
import type { World } from '../../io/world.ts';
import { toldDaemons } from '../../targets/docker/info.ts';
import type { ToldDaemon } from '../../targets/docker/info.ts';
import { absent, bad, defineCheck, good } from '../contract.ts';

interface Facts {
  /** GPUs of NVIDIA as the driver tells them; null without its tool. */
  readonly gpus: number | null;
  readonly daemons: readonly ToldDaemon[];
  readonly toolkit: string | null;
  /** Files that describe devices for containers. */
  readonly specs: readonly string[];
}

export const containerGpus = defineCheck<'container-gpus', Facts>({
  kind: 'container-gpus',
  title: 'GPUs of NVIDIA in containers',
  gather: async (world) => {
    const [listed, daemons, toolkit, specs] = await Promise.all([
      world.exec.run(['nvidia-smi', '-L'], { timeoutMs: 10_000 }),
      toldDaemons(world),
      findProgram(world, 'nvidia-ctk'),
      Promise.all(['/etc/cdi', '/var/run/cdi'].map((folder) => specsIn(world, folder))),
    ]);
    return {
      gpus: listed.code === 0 ? (listed.stdout.match(/^GPU \d+:/gm)?.length ?? 0) : null,
      daemons,
      toolkit,
      specs: specs.flat(),
    };
  },
  judge: ({ gpus, daemons, toolkit, specs }, { targets, gpus: wanted }) => {
    const asks = wanted > 0 && targets.includes('docker');
    const told = daemons.flatMap(({ info }) => info ?? []);
    if ((gpus ?? 0) === 0 && !asks) return [absent('There is no GPU of NVIDIA here to hand on.')];
    if (told.length === 0) return [absent('There is no container engine here to hand GPUs to.')];
    const runtimes = told.flatMap((info) => Object.keys(info.Runtimes ?? {}));
    const devices = told.flatMap((info) => (info.DiscoveredDevices ?? []).map(({ ID }) => ID));
    const evidence = [
      `runtimes: ${runtimes.join(', ') || 'none'}`,
      `nvidia-ctk: ${toolkit ?? 'not found'}`,
      `device files: ${specs.join(', ') || 'none in /etc/cdi and /var/run/cdi'}`,
    ];
    const known =
      runtimes.includes('nvidia') ||
      devices.some((id) => id.startsWith('nvidia.com/gpu')) ||
      specs.length > 0;
    if (known) return [good('The container engine can hand on GPUs.', evidence)];
    return [
      bad(asks ? 'critical' : 'warning', 'The container engine cannot hand on the GPUs of this machine.', {
        evidence,
        cure:
          toolkit === null
            ? 'Install the NVIDIA container toolkit (package nvidia-container-toolkit), then: sudo nvidia-ctk runtime configure --runtime=docker && sudo systemctl restart docker'
            : 'sudo nvidia-ctk runtime configure --runtime=docker && sudo systemctl restart docker   (podman: sudo nvidia-ctk cdi generate --output=/etc/cdi/nvidia.yaml)',
      }),
    ];
  },
});

async function specsIn(world: World, folder: string): Promise<string[]> {
  const names = await world.files.list(folder);
  return names.filter((name) => /nvidia.*\.(ya?ml|json)$/.test(name)).map((name) => `${folder}/${name}`);
}
