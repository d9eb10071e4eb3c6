import type { Finding } from '../../domain/finding.ts';
import type { Mark } from '../../domain/instance.ts';
import type { World } from '../../io/world.ts';
import { ofUser } from './scope.ts';
import type { Scope } from './scope.ts';

/** What is read from its input lies in a file of that name for the command behind it, and goes with the shell, also where berth is killed over it. */
const besideFile = `set -e
trap 'exit 1' HUP INT TERM
d=$(mktemp -d)
trap 'rm -rf "$d"' EXIT
cat > "$d/$1"
f=$d/$1
shift
"$@" "$f"`;

/** What systemd says of a unit's text. It exits with 0 also when it has something to say, so that what it says counts. */
export async function verified(
  world: World,
  scope: Scope,
  { mark, unit, text }: { mark: Mark; unit: string; text: string },
): Promise<Finding[]> {
  const file = `${unit}.service`;
  const front = scope.name === 'user' ? ofUser(world) : [];
  const mode = scope.name === 'user' ? ['--user'] : [];
  const judge = ['systemd-analyze', ...mode, 'verify', '--man=no'];
  const argv = [...front, 'sh', '-c', besideFile, 'sh', file, ...judge];
  const { code, stderr } = await world.exec.run(argv, { input: text, timeoutMs: 30_000 });
  const said = stderr
    .split('\n')
    .filter((line) => line.includes(file) && !/^Failed to|is marked/.test(line))
    // Without the folder, which is another one each time.
    .map((line) => line.replace(/(^|\s)\/\S*\/(?=[^/\s]*\.service)/g, '$1'));
  if (code === null || said.length === 0) return [];
  return [
    {
      rule: 'unit-verify',
      severity: said.some((line) => /not executable|bad-setting|Missing/i.test(line))
        ? 'critical'
        : 'warning',
      object: mark.deployment,
      message: `systemd objects to the unit ${unit}: ${said.join('; ')}`,
      evidence: said,
      cure: 'Correct the raw keys below "target.unit", or the program of the engine.',
    },
  ];
}
