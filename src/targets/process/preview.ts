import { BerthError } from '../../domain/errors/berth-error.ts';
import type { Finding } from '../../domain/finding.ts';
import type { World } from '../../io/world.ts';
import type { StartRequest } from '../contract.ts';

/** Models that are there and that the user who runs the engine may not read: it would end over them only when it is started. */
export async function preview(world: World, { mark }: StartRequest): Promise<Finding[]> {
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
