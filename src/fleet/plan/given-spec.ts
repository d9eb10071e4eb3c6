import { basename } from 'node:path';
import { BerthError } from '../../domain/errors/berth-error.ts';
import { filesOfHere, givenIn, mostGivenBytes, withGiven } from '../../domain/given-files.ts';
import type { LaunchSpec } from '../../domain/launch-spec.ts';
import type { Reason } from '../../domain/plan.ts';
import { lookAtFile } from '../../io/given-file.ts';
import type { World } from '../../io/world.ts';
import type { Deployment } from '../file/resolve.ts';
import { launchSpecOf } from './launch-spec-of.ts';

/** The same with what lies beside the fleet file by now. Throws GIVEN_FILE_MISSING and FILE_UNFIT too. */
export async function givenSpecOf(
  world: World,
  ...asked: Parameters<typeof launchSpecOf>
): Promise<LaunchSpec | null> {
  const [deployment] = asked;
  const spec = launchSpecOf(...asked);
  const paths = spec ? filesOfHere(spec) : [];
  if (!spec || paths.length === 0) return spec;
  const files = await Promise.all(paths.map((path) => lookAtFile(world, path)));
  expectRoom(deployment, files);
  return withGiven(spec, files);
}

/** They go together, and each alone would fit. */
function expectRoom(
  { name }: Pick<Deployment, 'name'>,
  files: readonly { readonly given: string; readonly bytes: number }[],
): void {
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  if (bytes > mostGivenBytes)
    throw new BerthError('FILE_UNFIT', {
      path: files.map((file) => file.given).join(' and '),
      reason: `has ${bytes} bytes with all that ${name} is given, and ${mostGivenBytes} are the most`,
    });
}

/** One reason for each file that holds something else than when the engine was given it; another file is told by its setting. Pure. */
export function changedFiles(
  before: Pick<LaunchSpec, 'secrets'>,
  now: Pick<LaunchSpec, 'secrets'>,
): Reason[] {
  const was = Object.values(givenIn(before));
  return Object.values(givenIn(now))
    .filter(({ sha256 }) => !was.some((one) => one.sha256 === sha256))
    .filter(({ given }) => was.some((one) => basename(one.given) === basename(given)))
    .map((file) => ({
      field: `files.${basename(file.given)}`,
      text: `file ${file.given} changed: restart`,
    }));
}
