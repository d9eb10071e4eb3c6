import { bad, defineCheck, good } from '../contract.ts';
import type { Verdict } from '../contract.ts';

/** Settings of the kernel by their names under /proc/sys; one that this kernel lacks is absent. */
type Facts = Readonly<Record<string, string>>;

const names = [
  'vm/overcommit_memory',
  'vm/max_map_count',
  'vm/swappiness',
  'vm/zone_reclaim_mode',
  'kernel/numa_balancing',
  'net/core/somaxconn',
  'net/ipv4/ip_forward',
] as const;

export const kernel = defineCheck<'kernel', Facts>({
  kind: 'kernel',
  title: 'Settings of the kernel',
  gather: async (world) => {
    const found = await Promise.all(
      names.map(async (name) => [name, await world.files.read(`${world.proc}/sys/${name}`)] as const),
    );
    return Object.fromEntries(found.flatMap(([name, text]) => (text === null ? [] : [[name, text.trim()]])));
  },
  judge: (facts, { targets }) => {
    const found = [
      setting(facts, 'vm/overcommit_memory', {
        isBad: (value) => value === 2,
        state: 'warning',
        message: 'The kernel promises no more memory than there is: mapping a large model can be refused.',
        better: 0,
      }),
      setting(facts, 'vm/max_map_count', {
        isBad: (value) => value < 65_530,
        state: 'warning',
        message: 'A process may have few mappings: engines with many threads or split models may not start.',
        better: 262_144,
      }),
      setting(facts, 'vm/zone_reclaim_mode', {
        isBad: (value) => value !== 0,
        state: 'info',
        message:
          'Memory near a processor is cleared before memory elsewhere is used, which drops models from the cache.',
        better: 0,
      }),
      setting(facts, 'kernel/numa_balancing', {
        isBad: (value) => value === 1,
        state: 'info',
        message:
          'The kernel moves memory between processors, which slows llama.cpp on machines with several.',
        better: 0,
      }),
      setting(facts, 'net/core/somaxconn', {
        isBad: (value) => value < 1_024,
        state: 'info',
        message: 'Bursts of new connections to the gateway may be turned away.',
        better: 4_096,
      }),
      targets.includes('docker')
        ? setting(facts, 'net/ipv4/ip_forward', {
            isBad: (value) => value === 0,
            state: 'warning',
            message: 'Nothing is forwarded between networks: containers reach nothing outside.',
            better: 1,
          })
        : null,
    ].flatMap((one) => one ?? []);
    const evidence = Object.entries(facts).map(([name, value]) => `${name.replaceAll('/', '.')} = ${value}`);
    return found.length > 0 ? found : [good('They suit engines.', evidence)];
  },
});

function setting(
  facts: Facts,
  name: (typeof names)[number],
  rule: {
    isBad: (value: number) => boolean;
    state: 'info' | 'warning';
    message: string;
    better: number;
  },
): Verdict | null {
  const value = facts[name];
  if (value === undefined || !rule.isBad(Number(value))) return null;
  const dotted = name.replaceAll('/', '.');
  return bad(rule.state, rule.message, {
    evidence: [`${dotted} = ${value}`],
    cure: `sudo sysctl -w ${dotted}=${rule.better}   (to keep it: a line in /etc/sysctl.d/berth.conf)`,
  });
}
