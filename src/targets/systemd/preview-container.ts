import type { Finding } from '../../domain/finding.ts';
import type { Mark } from '../../domain/instance.ts';
import type { World } from '../../io/world.ts';
import { definitionOf } from './definition.ts';
import type { SystemdOptions, UnitContainer } from './options.ts';
import { expectNameFree, generatorOf, hasImage, imageMissing, readerOfSecrets } from './podman.ts';
import { unitImageOf } from './quadlet.ts';
import { ofUser, reasonOf } from './scope.ts';
import type { Scope } from './scope.ts';
import { verified } from './verify.ts';

interface Asked {
  readonly mark: Mark;
  readonly options: SystemdOptions & { container: UnitContainer };
  readonly unit: string;
}

/** What podman and systemd would object to in a container's unit. Throws QUADLET_MISSING and what else keeps it from being made. */
export async function previewContainer(world: World, scope: Scope, asked: Asked): Promise<Finding[]> {
  const { mark, options, unit } = asked;
  const { deployment } = mark;
  const generator = await generatorOf(world, scope, deployment);
  await expectNameFree(world, scope, { unit, deployment });
  const { text } = await definitionOf(world, mark, { options, unit, scope });
  const found = await Promise.all([
    generated(world, scope, { ...asked, generator, text }),
    imageFindings(world, scope, asked),
  ]);
  return found.flat();
}

async function imageFindings(world: World, scope: Scope, { mark, options }: Asked): Promise<Finding[]> {
  const { container } = options;
  const { deployment } = mark;
  const image = unitImageOf(mark.spec, container) ?? '';
  if (await hasImage(world, scope, { deployment, image })) {
    await readerOfSecrets(world, scope, { mark, container });
    return [];
  }
  if (container.pull === 'never') throw imageMissing(deployment, image, 'pull is "never"');
  return [
    {
      rule: 'image-fetched',
      severity: 'info',
      object: deployment,
      message: `The image ${image} is not there yet and will be fetched.`,
      evidence: [image],
      cure: `Nothing has to be done; "podman pull ${image}" fetches it beforehand.`,
    },
  ];
}

/** Has podman's generator make the unit, as systemd will have it, without leaving anything; what it makes goes to systemd's own check. */
async function generated(
  world: World,
  scope: Scope,
  { mark, unit, generator, text }: Asked & { generator: string; text: string },
): Promise<Finding[]> {
  const folder = `${world.places.runtime}/quadlet-${mark.deployment}-${mark.replica}`;
  try {
    await world.files.write(`${folder}/${unit}.container`, text);
    const front = scope.name === 'user' ? ofUser(world) : [];
    const mode = scope.name === 'user' ? ['-user'] : [];
    const argv = [...front, 'env', `QUADLET_UNIT_DIRS=${folder}`, generator, ...mode, '-dryrun'];
    const result = await world.exec.run(argv, { timeoutMs: 30_000 });
    const made = unitIn(result.stdout, unit);
    if (made !== null) return await verified(world, scope, { mark, unit, text: made });
    const reason = reasonOf({ ...result, stdout: '' }).replaceAll(`${folder}/`, '');
    return [
      {
        rule: 'quadlet-refused',
        severity: 'critical',
        object: mark.deployment,
        message: `Podman makes no unit of ${unit}.container: ${reason}.`,
        evidence: [generator],
        cure: 'Correct the raw keys below "target.unit"; a key that it does not know came with a newer podman, and podman 5 knows all that berth writes.',
      },
    ];
  } finally {
    await world.files.remove(folder);
  }
}

/** The unit of this name in what the generator prints; null where it has made none. Pure. */
export function unitIn(printed: string, unit: string): string | null {
  const head = `---${unit}.service---\n`;
  const at = printed.indexOf(head);
  if (at < 0) return null;
  return printed.slice(at + head.length).split(/^---.*---$/m)[0] ?? null;
}
