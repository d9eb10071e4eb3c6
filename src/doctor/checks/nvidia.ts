import { formatBytes } from '../../domain/format.ts';
import type { Gpu } from '../../domain/hardware.ts';
import { gpuQuery, parseNvidia } from '../../hardware/nvidia.ts';
import { pciGpus } from '../../hardware/pci.ts';
import type { PciGpu } from '../../hardware/pci.ts';
import type { ExecResult } from '../../io/exec.ts';
import { absent, bad, defineCheck, good } from '../contract.ts';
import type { Verdict } from '../contract.ts';

interface Facts {
  readonly bus: readonly PciGpu[];
  /** The answer to the query for GPUs. */
  readonly smi: Pick<ExecResult, 'code' | 'stdout' | 'stderr' | 'signal'>;
  /** The page that nvidia-smi prints by itself, which tells the newest CUDA that the driver serves. */
  readonly page: string;
  /** /proc/driver/nvidia/version, while the module is loaded. */
  readonly module: string | null;
  readonly modules: string;
  readonly fabric: string;
}

export const nvidia = defineCheck<'nvidia', Facts>({
  kind: 'nvidia',
  title: 'GPUs of NVIDIA, driver and CUDA',
  gather: async (world) => {
    const [bus, smi, page, module, modules, fabric] = await Promise.all([
      pciGpus(world),
      world.exec.run(gpuQuery, { timeoutMs: 20_000 }),
      world.exec.run(['nvidia-smi'], { timeoutMs: 20_000 }),
      world.files.read(`${world.proc}/driver/nvidia/version`),
      world.files.read(`${world.proc}/modules`),
      world.exec.run(['systemctl', 'is-active', 'nvidia-fabricmanager'], { timeoutMs: 5_000 }),
    ]);
    return { bus, smi, page: page.stdout, module, modules: modules ?? '', fabric: fabric.stdout.trim() };
  },
  judge: (facts, { gpus: wanted }) => {
    const cards = facts.bus.filter(({ vendor }) => vendor === 'nvidia');
    if (facts.smi.code === 0 && parseNvidia(facts.smi.stdout, '').length > 0) return working(facts, wanted);
    if (cards.length === 0 && facts.module === null) return [nowhere(facts, wanted)];
    return [broken(facts, cards, wanted)];
  },
});

/** Where there are GPUs of others, these may be what is wanted. */
function nowhere({ bus }: Facts, wanted: number): Verdict {
  if (wanted === 0 || bus.length > 0) return absent('There is no GPU of NVIDIA on the bus.');
  return bad('critical', `The engines here want ${wanted} GPUs, and there is none on the bus.`, {
    cure: 'Lower gpus in the fleet file, or name another host.',
  });
}

function working({ smi, page, fabric }: Facts, wanted: number): Verdict[] {
  const gpus = parseNvidia(smi.stdout, '');
  const [first] = gpus;
  const cuda = /CUDA (?:UMD )?Version:\s*([\d.]+)/.exec(page)?.[1] ?? null;
  const evidence = [
    `driver ${first?.driver ?? 'unknown'}`,
    `CUDA up to ${cuda ?? 'unknown'}`,
    ...gpus.map(line),
  ];
  const found: Verdict[] = [
    good(
      `${gpus.length} of NVIDIA, driver ${first?.driver ?? 'unknown'}, CUDA up to ${cuda ?? 'unknown'}.`,
      evidence,
    ),
  ];
  if (gpus.length < wanted)
    found.push(
      bad('critical', `The engines here want ${wanted} GPUs, and ${gpus.length} are here.`, {
        evidence: gpus.map(line),
        cure: 'Lower gpus in the fleet file, or name another host.',
      }),
    );
  if (Number(first?.driver?.split('.')[0] ?? 999) < 525)
    found.push(
      bad('warning', 'The driver is older than the CUDA 12 that current engines are built for.', {
        evidence: [`driver ${first?.driver}`],
        cure: 'Install driver 525 or newer from the distribution, and reboot.',
      }),
    );
  // GPUs joined by switches compute nothing before this service has set the switches up. Cards in slots have none.
  const joined = gpus.filter(({ name }) => /SXM|HGX|[ABH][12]00/.test(name) && !/PCIe|NVL\b/i.test(name));
  if (gpus.length >= 4 && joined.length > 0 && fabric === 'inactive')
    found.push(
      bad(
        'warning',
        'The service that joins GPUs by NVLink switches does not run: CUDA ends with error 802 where there are some.',
        {
          evidence: ['nvidia-fabricmanager: inactive'],
          cure: 'sudo systemctl enable --now nvidia-fabricmanager',
        },
      ),
    );
  const sliced = gpus.filter(({ mig }) => mig === true);
  if (sliced.length > 0)
    found.push(
      bad(
        'info',
        `${sliced.length === 1 ? 'A GPU is' : 'GPUs are'} divided (MIG): each part counts for itself.`,
        {
          evidence: sliced.map(line),
          cure: 'Name the part with target.gpuIds; "nvidia-smi -L" lists them.',
        },
      ),
    );
  return found;
}

function line({ index, name, memoryBytes, memoryUsedBytes, computeCapability }: Gpu): string {
  const memory =
    memoryBytes === null
      ? 'memory not told'
      : `${formatBytes(memoryUsedBytes)} of ${formatBytes(memoryBytes)} used`;
  return `GPU ${index}: ${name}, ${memory}, compute capability ${computeCapability ?? 'unknown'}`;
}

/** Cards or a module without a tool that answers, by what it says. */
function broken({ smi, module, modules }: Facts, cards: readonly PciGpu[], wanted: number): Verdict {
  const state = wanted > 0 ? 'critical' : 'warning';
  const said = (smi.stdout || smi.stderr).trim().split('\n')[0] ?? '';
  const evidence = [
    ...cards.map(({ address, driver }) => `${address}: driver ${driver ?? 'none'}`),
    ...(smi.code === null ? [] : [`nvidia-smi: ${said}`]),
    ...(module === null ? ['the module nvidia is not loaded'] : [module.split('\n')[0] ?? '']),
  ];
  if (/version mismatch/i.test(said))
    return bad(state, 'The driver was upgraded, and the old one is still loaded.', {
      evidence,
      cure: 'sudo reboot   (or unload the modules nvidia_uvm, nvidia_drm, nvidia_modeset, nvidia and load them again)',
    });
  if (/^nouveau /m.test(modules))
    return bad(state, 'The driver nouveau holds the GPU, which cannot compute with it.', {
      evidence,
      cure: "Install NVIDIA's driver, which shuts nouveau off, and reboot.",
    });
  if (smi.signal)
    return bad(state, 'nvidia-smi does not answer.', {
      evidence,
      cure: 'sudo dmesg | grep -i -e nvrm -e xid   tells what the driver waits for.',
    });
  if (module !== null)
    return bad(state, 'The driver is loaded, and its tool does not work.', {
      evidence,
      cure:
        smi.code === null
          ? 'Install the tools of the same version (package nvidia-utils or cuda-drivers).'
          : 'See what it says above; sudo dmesg | grep -i nvrm',
    });
  return bad(state, 'There is a GPU of NVIDIA, and no driver for it.', {
    evidence,
    cure: 'Install the driver of the distribution (Debian: nvidia-driver; Ubuntu: ubuntu-drivers install; RHEL and Oracle Linux: cuda-drivers), remove older ones first, and reboot.',
  });
}
