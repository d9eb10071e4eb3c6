import type { DefinedServer } from '../../domain/audit/observation.ts';
import { containerCommand } from '../../domain/audit/image-command.ts';
import { redact, redactText } from '../../domain/command-line/redact.ts';
import { doorOf } from '../../domain/command-line/server-door.ts';
import { unwrap } from '../../domain/command-line/unwrap.ts';
import { recognize } from '../../engines/registry.ts';

/** A model server as its definition names it; null for everything else. */
export function definedServer(what: {
  image: string | null;
  command: readonly string[];
  args: readonly string[];
  env: Readonly<Record<string, string>>;
  /** More variables may be set than these. */
  partialEnv?: boolean;
}): DefinedServer | null {
  const argv = containerCommand(what.image, what.command, what.args);
  // Programs with names that say nothing (main.py) lie in a folder that the image is called after.
  const cwd = what.image === null ? null : `/${what.image.replace(/[:@][^/]*$/, '')}`;
  const { env, partialEnv = false } = what;
  const found = recognize({ pid: 0, ppid: 0, argv, exe: null, env, cwd, partialEnv });
  if (!found || found.child) return null;
  return {
    engine: found.engine,
    model: found.model === null ? null : redactText(found.model),
    host: found.host,
    port: found.port,
    options: { ...found.options },
    keyed: found.keyed ?? null,
    ...(unwrap(argv).some(({ args, env }) => doorOf(args, { ...what.env, ...env }).tls)
      ? { tls: true as const }
      : {}),
    exposes: [...(found.exposes ?? [])],
    command: redact(argv),
  };
}
