import type { Arg, Hole, LaunchSpec } from './launch-spec.ts';

/** What a target puts into the holes of a spec; files lie where the spec says. */
export interface Filling {
  readonly model: string;
  readonly mmproj: string;
  readonly host: string;
  readonly port: number;
  readonly secret: (name: string) => string;
  readonly cache: (name: string) => string;
}

export function filler({ model, mmproj, host, port, secret, cache }: Filling): (hole: Hole) => string {
  return (hole) => {
    switch (hole.hole) {
      case 'model':
        return model;
      case 'mmproj':
        return mmproj;
      case 'host':
        return host;
      case 'port':
        return String(port);
      case 'secret':
        return secret(hole.name);
      case 'cache':
        return cache(hole.name);
      case 'file':
        return hole.path;
    }
  };
}

/** The text of one argument, with every hole filled by the target. */
export function fillArg(arg: Arg, fill: (hole: Hole) => string): string {
  if (typeof arg === 'string') return arg;
  if ('hole' in arg) return fill(arg);
  return arg.parts.map((part) => (typeof part === 'string' ? part : fill(part))).join('');
}

/** The same argument with other holes. */
export function fillHoles(arg: Arg, change: (hole: Hole) => Hole): Arg {
  if (typeof arg === 'string') return arg;
  if ('hole' in arg) return change(arg);
  return { parts: arg.parts.map((part) => (typeof part === 'string' ? part : change(part))) };
}

export function fillArgs(args: readonly Arg[], fill: (hole: Hole) => string): string[] {
  return args.map((arg) => fillArg(arg, fill));
}

/** What the file of a secret holds: the secret itself, or a line of YAML with it. */
export function secretFileText(spec: LaunchSpec, name: string, value: string): string {
  const key = spec.secretKeys?.[name];
  return key === undefined ? value : `${key}: ${JSON.stringify(value)}\n`;
}

/** Files and folders of the host that the arguments and variables name, beside model and projector. */
export function filesNamed(spec: LaunchSpec): string[] {
  const args = [...spec.args, ...Object.values(spec.env)];
  const parts = args.flatMap((arg) => (typeof arg === 'object' && 'parts' in arg ? arg.parts : [arg]));
  const paths = parts.flatMap((part) =>
    typeof part === 'object' && part.hole === 'file' ? [part.path] : [],
  );
  return [...new Set(paths)];
}
