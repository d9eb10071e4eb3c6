import { z } from 'zod';
import { containerCommand } from './image-command.ts';
import { Container, PodSpec, sameNamespace } from './kube-object.ts';
import type { KubeObject } from './kube-object.ts';

const Predicting = z.object({
  predictor: z.looseObject({ model: z.looseObject({ runtime: z.string().nullish() }) }),
});
const Runtime = z.object({ containers: z.array(Container) });

/**
 * What an InferenceService itself says of its pod: the arguments, variables and resources beside its model, run by the program of
 * its runtime. What the runtime says is not repeated. Null for one with containers of its own, or without a runtime that is seen.
 */
export function predictorPod(service: KubeObject, objects: readonly KubeObject[]): PodSpec | null {
  const predictor = Predicting.safeParse(service.spec).data?.predictor;
  if (!predictor) return null;
  const { name, runtime: _, ...model } = { name: '', ...predictor.model };
  const runtime = objects.find((one) => isRuntime(one, service, predictor.model.runtime));
  const [container] = Runtime.safeParse(runtime?.spec).data?.containers ?? [];
  const image = container?.image ?? null;
  const command = containerCommand(
    image,
    container?.command ?? [],
    container?.command ? [] : program(container),
  );
  const containers = [
    { ...model, name: name || 'kserve-container', ...(command.length > 0 ? { command } : {}) },
  ];
  return PodSpec.safeParse({ ...predictor, containers }).data ?? null;
}

/** Of arguments the program alone: `serve`, `python3 -m vllm.entrypoints.openai.api_server`. */
function program(container: Container | undefined): string[] {
  const words = container?.args ?? [];
  const at = words.findIndex((word, n) => word.startsWith('-') && !/^-m$/.test(word) && n > 0);
  return words[0]?.startsWith('-') ? [] : words.slice(0, at < 0 ? undefined : at);
}

function isRuntime(one: KubeObject, service: KubeObject, name: string | null | undefined): boolean {
  if (one.metadata.name !== name) return false;
  return (
    one.kind === 'ClusterServingRuntime' || (one.kind === 'ServingRuntime' && sameNamespace(one, service))
  );
}
