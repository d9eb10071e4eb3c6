import { formatBytes } from '../../domain/format.ts';
import { detectMemory } from '../../hardware/detect.ts';
import { bad, defineCheck, good } from '../contract.ts';

interface Facts {
  readonly totalBytes: number;
  readonly availableBytes: number | null;
  readonly limitBytes: number | null;
  /** Sum of the model files that lie there. */
  readonly modelBytes: number;
}

export const memory = defineCheck<'memory', Facts>({
  kind: 'memory',
  title: 'Memory',
  gather: async (world, { models }) => {
    const sizes = await Promise.all(models.map(async (path) => (await world.files.stat(path))?.size ?? 0));
    return { ...(await detectMemory(world)), modelBytes: sizes.reduce((sum, size) => sum + size, 0) };
  },
  judge: ({ totalBytes, availableBytes, limitBytes, modelBytes }, { gpus }) => {
    const most = Math.min(totalBytes, limitBytes ?? totalBytes);
    const facts = [
      `total ${formatBytes(totalBytes)}`,
      `available ${formatBytes(availableBytes)}`,
      ...(limitBytes === null ? [] : [`limit of the control group ${formatBytes(limitBytes)}`]),
      ...(modelBytes === 0 ? [] : [`model files ${formatBytes(modelBytes)}`]),
    ];
    if (gpus === 0 && modelBytes > most)
      return [
        bad('critical', 'The models of this fleet are larger than the memory of this machine.', {
          evidence: facts,
          cure: 'Take smaller quantizations, load models on demand, or put some on another host.',
        }),
      ];
    if (gpus === 0 && availableBytes !== null && modelBytes > availableBytes)
      return [
        bad('warning', 'The models of this fleet do not fit into the memory that is free now.', {
          evidence: facts,
          cure: 'What runs already may be counted twice; otherwise end other programs ("berth scan" shows model servers).',
        }),
      ];
    if (availableBytes !== null && availableBytes < most / 20)
      return [
        bad('warning', 'Hardly any memory is free.', {
          evidence: facts,
          cure: 'End what is not needed: ps aux --sort=-rss',
        }),
      ];
    return [good(`${formatBytes(availableBytes ?? most)} of ${formatBytes(most)} free.`, facts)];
  },
});
