import type { World } from '../io/world.ts';

/** Names of the users of this machine; one that is not in the file (a network user, a container's) is shown by number. */
export async function userNames(world: World): Promise<Map<number, string>> {
  const text = (await world.files.read('/etc/passwd')) ?? '';
  return new Map(
    text.split('\n').flatMap((line) => {
      const [name, , uid] = line.split(':');
      return name && uid ? [[Number(uid), name] as const] : [];
    }),
  );
}
