import { fillHoles } from './fill-args.ts';
import type { Hole, LaunchSpec } from './launch-spec.ts';
import { isGiven } from './secret.ts';
import type { GivenFile } from './secret.ts';

/** What a ConfigMap of a cluster and a credential of systemd can hold, with room for names. */
export const mostGivenBytes = 1_000_000;

/** How a path of the machine that berth runs on stands among paths of hosts: as a file beside the fleet file. */
export const ofHere = 'file://';

/** Files of the machine that berth runs on which a spec names, as its engine has written them. */
export function filesOfHere(spec: LaunchSpec): string[] {
  const found = new Set<string>();
  mapped(spec, (hole) => {
    const path = pathOfHere(hole);
    if (path !== null) found.add(path);
    return hole;
  });
  return [...found];
}

/** The spec with these among what its engine is given, in place of paths that it could not open. Pure. */
export function withGiven(spec: LaunchSpec, files: readonly GivenFile[]): LaunchSpec {
  const names = new Map(files.map((file) => [file.given, nameOf(file)]));
  const given = Object.fromEntries(files.map((file) => [nameOf(file), file]));
  return {
    ...mapped(spec, (hole) => {
      const name = names.get(pathOfHere(hole) ?? '');
      return name === undefined ? hole : { hole: 'secret', name };
    }),
    secrets: { ...spec.secrets, ...given },
  };
}

/** What a spec gives of them, by the name that each has there. */
export function givenIn({ secrets }: Pick<LaunchSpec, 'secrets'>): Record<string, GivenFile> {
  return Object.fromEntries(
    Object.entries(secrets).flatMap(([name, ref]) => (isGiven(ref) ? [[name, ref]] : [])),
  );
}

/** The same spec with those of these files that another one has as well where they lie by that one. */
export function withPlacesOf(spec: LaunchSpec, other: Pick<LaunchSpec, 'secrets'>): LaunchSpec {
  const there = givenIn(other);
  return withRefs(spec, (file, name) => (there[name]?.sha256 === file.sha256 ? there[name] : file));
}

/**
 * The same without where these files lie, which is no part of what an engine is: two clones of a repository have the same one, and what
 * others read tells nothing of a machine.
 */
export function withoutPlaces<Spec extends Pick<LaunchSpec, 'secrets'>>(spec: Spec): Spec {
  return withRefs(spec, (file) => ({ ...file, given: baseOf(file.given) }));
}

/** Those of a spec without their places where the options of an engine have files of that name by now; what is not found stays as it is. */
export function foundAgain(spec: LaunchSpec, options: Readonly<Record<string, unknown>>): LaunchSpec {
  const paths = Object.values(options).flatMap((one) =>
    typeof one === 'string' && one.startsWith(ofHere) ? [one.slice(ofHere.length)] : [],
  );
  return withRefs(spec, (file) => {
    const path = file.given.includes('/') ? undefined : paths.find((one) => baseOf(one) === file.given);
    return path === undefined ? file : { ...file, given: path };
  });
}

function withRefs<Spec extends Pick<LaunchSpec, 'secrets'>>(
  spec: Spec,
  change: (file: GivenFile, name: string) => GivenFile,
): Spec {
  const given = Object.entries(givenIn(spec));
  if (given.length === 0) return spec;
  const changed = given.map(([name, file]) => [name, change(file, name)] as const);
  return { ...spec, secrets: { ...spec.secrets, ...Object.fromEntries(changed) } };
}

function baseOf(path: string): string {
  return path.split('/').at(-1) ?? '';
}

/** With what it holds in its name, a file of before stays beside that of now. */
function nameOf({ given, sha256 }: GivenFile): string {
  const base = baseOf(given)
    .replaceAll(/[^A-Za-z0-9._-]+/g, '-')
    .slice(-60);
  return `${givenPrefix}${sha256.slice(0, 8)}-${base}`;
}

/** How the names of given files begin. */
export const givenPrefix = 'file-';

function pathOfHere(hole: Hole): string | null {
  return hole.hole === 'file' && hole.path.startsWith(ofHere) ? hole.path.slice(ofHere.length) : null;
}

function mapped(spec: LaunchSpec, change: (hole: Hole) => Hole): LaunchSpec {
  const env = Object.entries(spec.env).map(([name, arg]) => [name, fillHoles(arg, change)] as const);
  return { ...spec, args: spec.args.map((arg) => fillHoles(arg, change)), env: Object.fromEntries(env) };
}
