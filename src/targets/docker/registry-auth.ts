import { join } from 'node:path';
import { parseJson } from '../../domain/json.ts';
import type { World } from '../../io/world.ts';
import { dockerFolder, placeText } from './places.ts';
import { authHeader, HelperAnswer, helperOf, loginIn, loginOf, LoginsFile } from './registry-logins.ts';
import { registryOf, serverOf } from './registry-logins.ts';
import type { RegistryLogin } from './registry-logins.ts';

/** What goes with the question for an image. */
export interface RegistryAuth {
  /** The value of `X-Registry-Auth`, which is a secret; null where nobody has a login. */
  readonly header: string | null;
  /** Where the login is from, or why there is none, as the middle of a sentence; names no secret. */
  readonly told: string;
}

/**
 * The login for an image's registry, from where the programs of the container engine keep it: of the user on the host itself,
 * else of the one who runs berth. It is to be sent to that host's daemon alone.
 */
export async function registryAuth(
  world: World,
  image: string,
  { podman }: { podman: boolean },
): Promise<RegistryAuth> {
  const faults: string[] = [];
  const { registry } = registryOf(image);
  for (const at of world.home ? [world, world.home] : [world])
    for (const path of loginFiles(at, podman)) {
      const found = await loginFrom(at, path, image);
      if (typeof found === 'string') faults.push(found);
      else if (found)
        return {
          header: authHeader(found, registry),
          told: `with the login in ${placeText(at.machine, path)}`,
        };
    }
  return { header: null, told: ['without a login', ...faults].join('; ') };
}

function loginFiles(world: World, podman: boolean): string[] {
  const { env, places } = world;
  const docker = join(dockerFolder(world), 'config.json');
  if (!podman) return [docker];
  const told = env['REGISTRY_AUTH_FILE'];
  const runtime = env['XDG_RUNTIME_DIR'];
  const config = env['XDG_CONFIG_HOME'] || join(places.home, '.config');
  return [
    ...(told ? [told] : []),
    ...(runtime ? [join(runtime, 'containers/auth.json')] : []),
    join(config, 'containers/auth.json'),
    docker,
  ];
}

/** Null where it has none; why it cannot be known where it may have one. */
async function loginFrom(world: World, path: string, image: string): Promise<RegistryLogin | string | null> {
  const text = await world.files.read(path).catch(() => undefined);
  if (text === null) return null;
  if (text === undefined) return `${placeText(world.machine, path)} cannot be read`;
  const file = LoginsFile.safeParse(parseJson(text)).data;
  if (!file) return `${placeText(world.machine, path)} is no file of logins`;
  const { registry } = registryOf(image);
  const helper = helperOf(file, registry);
  const kept = helper === null ? null : await askHelper(world, helper, serverOf(registry));
  return (typeof kept === 'string' ? null : kept) ?? loginIn(file, image) ?? kept;
}

const helperTimeoutMs = 30_000;

/** The protocol of `docker-credential-*`: the server goes in by stdin, the login comes as JSON. */
async function askHelper(
  world: World,
  helper: string,
  server: string,
): Promise<RegistryLogin | string | null> {
  const program = `docker-credential-${helper}`;
  if (!/^[\w.-]+$/.test(helper)) return `${program} is no name of a program`;
  const options = { input: server, timeoutMs: helperTimeoutMs };
  const { code, stdout, stderr } = await world.exec.run([program, 'get'], options);
  // What it says of a login that it lacks stands where else the login would, so it is not shown unless it is known.
  if (code !== 0 && /credentials not found/i.test(stdout)) return null;
  const answer = code === 0 ? HelperAnswer.safeParse(parseJson(stdout)).data : undefined;
  if (answer) return answer.Secret === '' ? null : loginOf(answer);
  const said =
    stderr.trim().split('\n').at(-1) || (code === null ? 'it did not end in time' : `it ended with ${code}`);
  return `${program} gives none: ${said.replace(/\.$/, '')}`;
}
