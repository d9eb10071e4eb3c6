import type { Finding } from '../../domain/finding.ts';
import type { Mark } from '../../domain/instance.ts';
import type { World } from '../../io/world.ts';
import { ofUser } from './scope.ts';
import type { Scope } from './scope.ts';

/** What systemd says of a unit's text. It exits with 0 also when it has something to say, so that what it says counts. */
export async function verified(
  world: World,
  scope: Scope,
  { mark, unit, text }: { mark: Mark; unit: string; text: string },
): Promise<Finding[]> {
  const file = `${unit}.service`;
  const folder = `${world.places.runtime}/verify-${mark.deployment}-${mark.replica}`;
  try {
    await world.files.write(`${folder}/${file}`, text);
    const front = scope.name === 'user' ? ofUser(world) : [];
    const mode = scope.name === 'user' ? ['--user'] : [];
    const argv = [...front, 'systemd-analyze', ...mode, 'verify', '--man=no', `${folder}/${file}`];
    const { code, stderr } = await world.exec.run(argv, { timeoutMs: 30_000 });
    const said = stderr
      .split('\n')
      .filter((line) => line.includes(file) && !/^Failed to|is marked/.test(line));
    if (code === null || said.length === 0) return [];
    return [
      {
        rule: 'unit-verify',
        severity: said.some((line) => /not executable|bad-setting|Missing/i.test(line))
          ? 'critical'
          : 'warning',
        object: mark.deployment,
        message: `systemd objects to the unit ${unit}: ${said.map((line) => line.replace(`${folder}/`, '')).join('; ')}`,
        evidence: said,
        cure: 'Correct the raw keys below "target.unit", or the program of the engine.',
      },
    ];
  } finally {
    await world.files.remove(folder);
  }
}
