import type { World } from '../../io/world.ts';
import { bad, defineCheck, good, absent } from '../contract.ts';
import type { Verdict } from '../contract.ts';

interface Facts {
  readonly version: number | null;
  /** What the manager of the machine says of itself ("running", "degraded"); null where it does not answer. */
  readonly system: string | null;
  /** The same of the user's own manager. */
  readonly user: string | null;
  readonly lingers: boolean;
  readonly userName: string;
  readonly root: boolean;
  /** Null where nothing asks for sudo; else why it is refused, or empty. */
  readonly sudo: string | null;
  readonly failed: readonly string[];
}

export const systemd = defineCheck<'systemd', Facts>({
  kind: 'systemd',
  title: 'systemd',
  gather: async (world) => {
    const [version, system, user, failed] = await Promise.all([
      say(world, ['systemctl', '--version']),
      say(world, ['systemctl', 'is-system-running']),
      say(world, ['systemctl', '--user', 'show', '-p', 'SystemState', '--value']),
      say(world, ['systemctl', 'list-units', '--failed', '--plain', '--no-legend']),
    ]);
    const userName = world.env['USER'] ?? world.env['LOGNAME'] ?? `uid ${world.uid}`;
    const number = /systemd (\d+)/.exec(version)?.[1];
    return {
      version: number === undefined ? null : Number(number),
      system: answers(system),
      user: answers(user),
      lingers: (await world.files.stat(`/var/lib/systemd/linger/${userName}`)) !== null,
      userName,
      root: world.uid === 0,
      sudo: world.become === 'sudo' && world.uid !== 0 ? await refusal(world) : null,
      failed: failed.split('\n').flatMap((line) => line.trim().split(/\s+/)[0] || []),
    };
  },
  judge: (facts, { targets }) => {
    const wanted = targets.includes('systemd');
    const { version, system, user, sudo } = facts;
    const evidence = [
      `systemd ${version ?? 'not installed'}`,
      `system manager: ${system ?? 'does not answer'}`,
      `user manager: ${user ?? 'does not answer'}`,
    ];
    const ours = facts.root || sudo !== null ? system : user;
    if (sudo)
      return [
        bad('critical', '"become: sudo" is refused here.', {
          evidence: [sudo],
          cure: `Allow it without a password: echo '${facts.userName} ALL=(ALL) NOPASSWD: ALL' | sudo tee /etc/sudoers.d/berth`,
        }),
      ];
    if (ours === null && !wanted) return [absent('systemd does not run here, and nothing asks for it.')];
    if (ours === null)
      return [
        bad('critical', 'systemd does not answer here, and the fleet wants units of it.', {
          evidence,
          cure:
            facts.root || system === null
              ? 'Use the target "process" or "docker" on this host.'
              : `sudo loginctl enable-linger ${facts.userName}   (or "become: sudo" on the host, for units of the system)`,
        }),
      ];
    return [
      good(
        `systemd ${version ?? ''} runs units of ${facts.root || sudo !== null ? 'the system' : 'this user'}.`,
        evidence,
      ),
      ...lasting(facts, wanted),
      ...failures(facts),
    ];
  },
});

function lasting({ root, sudo, lingers, userName }: Facts, wanted: boolean): Verdict[] {
  if (root || sudo !== null || lingers || !wanted) return [];
  return [
    bad('warning', 'Units of this user end with its last login and do not come back after a reboot.', {
      evidence: [`no /var/lib/systemd/linger/${userName}`],
      cure: `sudo loginctl enable-linger ${userName}`,
    }),
  ];
}

function failures({ failed }: Facts): Verdict[] {
  const ours = failed.filter((unit) => unit.startsWith('berth-'));
  if (ours.length === 0) return [];
  return [
    bad('warning', 'Units of berth have failed.', { evidence: ours, cure: `journalctl -u ${ours[0]}` }),
  ];
}

async function say(world: World, argv: readonly string[]): Promise<string> {
  return (await world.exec.run(argv, { timeoutMs: 10_000 })).stdout.trim();
}

/** "offline" is what it says where it is not the manager at all. */
function answers(state: string): string | null {
  return /^(initializing|starting|running|degraded|maintenance|stopping)$/.test(state) ? state : null;
}

async function refusal(world: World): Promise<string> {
  const ran = await world.exec.run(['sudo', '-n', 'true'], { timeoutMs: 10_000 });
  return ran.code === 0 ? '' : ran.stderr.trim() || 'sudo is not installed';
}
