import type { Container, Workload } from './kube-object.ts';
import type { DefinedServer } from './observation.ts';

/** A model server, the container that runs it and what makes its pods. */
export interface ServerOfPod {
  readonly workload: Workload;
  readonly container: Container;
  readonly server: DefinedServer;
}

/** Where they listen when nothing is said, and nothing else can say it: an image may have variables of its own. */
const usualPorts: Readonly<Record<string, number>> = {
  'llama.cpp': 8080,
  'llama-router': 8080,
  vllm: 8000,
  ollama: 11_434,
  sglang: 30_000,
};

/** Where an engine listens that is told nothing; null: not known. */
function usualPort(engine: string): number | null {
  return usualPorts[engine] ?? null;
}

/** Where a server listens all of whose variables are seen; null: not known. */
export function listenPort({ engine, port, command }: DefinedServer): number | null {
  return port ?? (leavesOpen(command) ? null : usualPort(engine));
}

/** Where a server of a pod listens; null: not known. */
export function serverPort(one: ServerOfPod): number | null {
  return one.server.port ?? (saysElsewhere(one) ? null : usualPort(one.server.engine));
}

/** Whether its port may be left to a variable or to a file, which do not show, or to what another object adds. */
export function saysElsewhere({ workload, container, server }: ServerOfPod): boolean {
  return workload.partial || mayAddVariables(container) || leavesOpen(server.command);
}

/** Whether a command line leaves to variables or to a file what does not show in it. */
export function leavesOpen(command: readonly string[]): boolean {
  return command.some((word) => word.includes('$') || /^--config(=|$)/.test(word));
}

/** Variables from elsewhere may be any; of one from a ConfigMap or Secret the value alone is not known. */
function mayAddVariables({ env, envFrom }: Container): boolean {
  return (
    (envFrom ?? []).length > 0 ||
    (env ?? []).some(({ name, valueFrom }) => valueFrom && /PORT|HOST$/.test(name))
  );
}
