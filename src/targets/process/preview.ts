import { BerthError } from '../../domain/errors/berth-error.ts';
import type { Finding } from '../../domain/finding.ts';
import type { Mark } from '../../domain/instance.ts';
import { programMissing } from '../../domain/program-missing.ts';
import { findProgram } from '../../io/find-program.ts';
import type { World } from '../../io/world.ts';
import type { StartRequest } from '../contract.ts';

/** A program that is not there, and models that the user who runs the engine may not read: it would fail over them only when it is started. */
export async function preview(world: World, { mark }: StartRequest): Promise<Finding[]> {
  return [...(await missingProgram(world, mark)), ...(await unreadable(world, mark))];
}

async function missingProgram(world: World, { deployment, spec }: Mark): Promise<Finding[]> {
  const { binary } = spec.program;
  if (binary === undefined || (await findProgram(world, binary)) !== null) return [];
  return [programMissing(deployment, { program: binary, machine: world.machine })];
}

async function unreadable(world: World, mark: Mark): Promise<Finding[]> {
  if (world.uid === 0) return [];
  const { model, mmproj } = mark.spec;
  const paths = [model, mmproj].filter((path) => path !== null);
  const found = await Promise.all(
    paths.map(async (path): Promise<Finding[]> => {
      if (await isReadable(world, path)) return [];
      const { message } = new BerthError('FILE_UNREADABLE', { path, reason: 'permission denied' });
      return [
        {
          rule: 'model-unreadable',
          severity: 'critical',
          object: mark.deployment,
          message,
          evidence: [path],
          cure: `Let the user who runs berth read it ("chmod o+r ${path}", and "chmod o+x" for its folders).`,
        },
      ];
    }),
  );
  return found.flat();
}

const othersRead = 0o4;

async function isReadable(world: World, path: string): Promise<boolean> {
  const found = await world.files.stat(path).catch(() => null);
  if (found === null || ((found.mode ?? 0) & othersRead) !== 0) return true;
  const { code } = await world.exec.run(['test', '-r', path], { timeoutMs: 10_000 });
  return code !== 1;
}
