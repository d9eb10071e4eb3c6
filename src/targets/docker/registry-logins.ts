import { z } from 'zod';

/** What a user's file says of logins: Docker's `config.json` or podman's `auth.json`. */
export const LoginsFile = z.object({
  auths: z
    .record(
      z.string(),
      z.object({
        auth: z.string().nullish(),
        username: z.string().nullish(),
        password: z.string().nullish(),
        identitytoken: z.string().nullish(),
        registrytoken: z.string().nullish(),
      }),
    )
    .nullish(),
  credHelpers: z.record(z.string(), z.string()).nullish(),
  credsStore: z.string().nullish(),
});
export type LoginsFile = z.infer<typeof LoginsFile>;

/** What a program that keeps logins prints for one server. */
export const HelperAnswer = z.object({ Username: z.string(), Secret: z.string() });

/** Never log or print one. */
export interface RegistryLogin {
  readonly username?: string;
  readonly password?: string;
  readonly identitytoken?: string;
  readonly registrytoken?: string;
}

/** An image's registry ("docker.io" where it names none), and its name there without tag and digest. */
export function registryOf(image: string): { registry: string; name: string } {
  const name = image.replace(/@.*$/, '').replace(/:[^:/]*$/, '');
  const at = name.indexOf('/');
  const first = name.slice(0, Math.max(at, 0));
  if (!/[.:]|^localhost$/.test(first)) return { registry: hub, name };
  return { registry: first === 'index.docker.io' ? hub : first, name: name.slice(at + 1) };
}

const hub = 'docker.io';
const hubServer = 'https://index.docker.io/v1/';

/** The name by which programs keep the login of a registry. */
export function serverOf(registry: string): string {
  return registry === hub ? hubServer : registry;
}

/** The program that keeps the login of a registry, by the end of its name; null where the file has it itself, or nobody. */
export function helperOf(file: LoginsFile, registry: string): string | null {
  const { credHelpers, credsStore } = file;
  return credHelpers?.[serverOf(registry)] ?? credHelpers?.[registry] ?? (credsStore || null);
}

/** The login that the file itself has for an image: of the longest part of its name that one is kept for, as podman keeps them. */
export function loginIn(file: LoginsFile, image: string): RegistryLogin | null {
  const { registry, name } = registryOf(image);
  const parts = name.split('/');
  const keys = parts.map((_, at) => [registry, ...parts.slice(0, parts.length - at)].join('/'));
  const places = new Map(Object.entries(file.auths ?? {}).map(([key, one]) => [placeOf(key), one]));
  const entry = [...keys, registry].map((key) => places.get(key)).find((one) => one !== undefined);
  if (!entry) return null;
  const { auth, username, password, identitytoken, registrytoken } = entry;
  const text = auth ? Buffer.from(auth, 'base64').toString('utf8') : '';
  const at = text.indexOf(':');
  const login = {
    ...(at > 0 ? { username: text.slice(0, at), password: text.slice(at + 1).replace(/\0+$/, '') } : {}),
    ...(username && password ? { username, password } : {}),
    ...(identitytoken ? { identitytoken } : {}),
    ...(registrytoken ? { registrytoken } : {}),
  };
  return Object.keys(login).length > 0 ? login : null;
}

/** "https://index.docker.io/v1/" and "quay.io/team" as an image would begin. */
function placeOf(key: string): string {
  const bare = key.replace(/^https?:\/\//, '').replace(/\/(v[12]\/?)?$/, '');
  return /^(index|registry-1)\.docker\.io$/.test(bare) ? hub : bare;
}

/** The login as a program answers with it; a token stands where there is no user. */
export function loginOf({ Username, Secret }: z.infer<typeof HelperAnswer>): RegistryLogin {
  return Username === '<token>' ? { identitytoken: Secret } : { username: Username, password: Secret };
}

/** The value of `X-Registry-Auth`. */
export function authHeader(login: RegistryLogin, registry: string): string {
  const told = { ...login, serveraddress: serverOf(registry) };
  // In the alphabet of URLs, and with padding, which podman insists on.
  return Buffer.from(JSON.stringify(told)).toString('base64').replaceAll('+', '-').replaceAll('/', '_');
}
