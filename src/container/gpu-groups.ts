import type { World } from '../io/world.ts';

/** Numbers of the groups that own the devices of GPUs: names mean nothing in a container. */
export async function gpuGroups(world: World): Promise<string[]> {
  const groups = (await world.files.read('/etc/group')) ?? '';
  return groups.split('\n').flatMap((line) => {
    const [name = '', , gid] = line.split(':');
    return gid !== undefined && /^(video|render)$/.test(name) ? [gid] : [];
  });
}
