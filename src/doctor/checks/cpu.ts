import { usableCores } from '../../domain/hardware.ts';
import type { Hardware } from '../../domain/hardware.ts';
import { detectCpu } from '../../hardware/detect.ts';
import { bad, defineCheck, good } from '../contract.ts';

interface Facts {
  readonly cpu: Hardware['cpu'];
  readonly machine: string;
  /** Of the first core; null where the kernel sets no frequency. */
  readonly governor: string | null;
}

export const cpu = defineCheck<'cpu', Facts>({
  kind: 'cpu',
  title: 'Processor',
  gather: async (world) => ({
    cpu: await detectCpu(world),
    machine: (await world.exec.run(['uname', '-m'], { timeoutMs: 5_000 })).stdout.trim(),
    governor:
      (await world.files.read('/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor'))?.trim() ?? null,
  }),
  judge: ({ cpu: found, machine, governor }) => {
    const cores = usableCores(found);
    const facts = [`${found.physicalCores} cores`, `${found.logicalCores} threads`, ...found.features];
    const quota = found.quotaCores;
    return [
      machine === 'x86_64' && !found.features.includes('avx2')
        ? bad('warning', 'This processor has no AVX2: engines on it compute many times slower.', {
            evidence: facts,
            cure: 'Use a GPU, another machine, or a build of the engine for this processor.',
          })
        : good(`${found.model ?? machine}, ${cores} of ${found.physicalCores} cores to compute with.`, facts),
      ...(quota !== null && quota < found.physicalCores
        ? [
            bad('info', `Berth itself may use ${quota} of ${found.physicalCores} cores here.`, {
              evidence: [`quota of the control group: ${quota} cores`],
              cure: 'Engines with more threads than that are held back; raise the quota or set engine.threads.',
            }),
          ]
        : []),
      ...(governor === 'powersave'
        ? [
            bad('info', 'The processor saves power, which makes the first tokens after a pause late.', {
              evidence: [`scaling_governor: ${governor}`],
              cure: 'sudo cpupower frequency-set -g performance',
            }),
          ]
        : []),
    ];
  },
});
