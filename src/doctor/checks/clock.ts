import { absent, bad, defineCheck, good } from '../contract.ts';

interface Facts {
  /** "yes", "no", or empty where nothing tells. */
  readonly synchronised: string;
}

export const clock = defineCheck<'clock', Facts>({
  kind: 'clock',
  title: 'Clock',
  gather: async (world) => {
    const told = await world.exec.run(['timedatectl', 'show', '-p', 'NTPSynchronized', '--value'], {
      timeoutMs: 10_000,
    });
    return { synchronised: told.code === 0 ? told.stdout.trim() : '' };
  },
  judge: ({ synchronised }) => {
    const evidence = [`NTPSynchronized=${synchronised}`];
    if (synchronised === 'yes') return [good('The clock is kept by the network.', evidence)];
    if (synchronised === '') return [absent('Nothing here tells whether the clock is kept by the network.')];
    return [
      bad(
        'info',
        'The clock is not kept by the network: certificates, tokens and times of runs rest on it.',
        {
          evidence,
          cure: 'sudo timedatectl set-ntp true   (or install chrony)',
        },
      ),
    ];
  },
});
