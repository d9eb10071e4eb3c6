import { z } from 'zod';
import type { DeploymentLive } from '../../kube/answers.ts';
import type { Live } from '../../kube/client.ts';
import type { KubeObject } from '../../kube/object.ts';
import { engineContainer } from './engine-container.ts';
import { filledIn } from './go-templates.ts';
import { specAnnotation } from './knative-spec.ts';
import type { KnativeLive } from './knative.ts';

const Env = z.object({ name: z.string(), value: z.string().nullish() });

const Service = z.looseObject({
  spec: z.object({
    predictor: z.looseObject({
      model: z.looseObject({ args: z.array(z.string()).nullish(), env: z.array(Env).nullish() }),
    }),
  }),
});

const Runtime = z.looseObject({
  spec: z.looseObject({ containers: z.array(z.looseObject({ image: z.string().nullish() })) }),
});

/**
 * Whether the Deployment says what the service says by now: KServe tells nowhere which state of a service it has acted on. It
 * sets the arguments of the service behind those of the runtime.
 */
export function isTakenOver(deployment: DeploymentLive, objects: readonly KubeObject[]): boolean {
  const live = engineContainer(deployment);
  const service = objects.map((one) => Service.safeParse(one).data).find((one) => one !== undefined);
  if (!live || !service) return false;
  const { args, env } = service.spec.predictor.model;
  const wanted = args ?? [];
  const there = wanted.length === 0 ? [] : (live.args ?? []).slice(-wanted.length);
  const image = objects.flatMap((one) => Runtime.safeParse(one).data?.spec.containers[0]?.image ?? [])[0];
  return (
    there.length === wanted.length &&
    wanted.every((word, at) => isOf(word, there[at])) &&
    (image === undefined || live.image === image) &&
    (env ?? []).every((one) =>
      live.env?.some(({ name, value }) => name === one.name && isOf(one.value, value)),
    )
  );
}

/** What KServe fills in by itself is not foreseen. */
function isOf(wanted: string | null | undefined, live: string | null | undefined): boolean {
  if (typeof wanted !== 'string') return wanted === live;
  const text = filledIn(wanted);
  return text === null || text === live;
}

/** On a service that was asked to make its pods anew: when. */
export const restartAnnotation = 'berth.dev/restarted-at';

const Template = z.looseObject({
  template: z.looseObject({
    metadata: z.looseObject({ annotations: z.record(z.string(), z.string()).nullish() }).nullish(),
  }),
});

type Holder = Pick<KnativeLive | DeploymentLive, 'spec'>;

/** Whether KServe has given Knative the service as it is now, with the restart that it was asked for last. Pure. */
export function isGiven(knative: Holder, service: Live): boolean {
  return isCopied(knative, service, specAnnotation) && isRestarted(knative, service);
}

/** Whether the pods are made as the last restart wants them. Pure. */
export function isRestarted(made: Holder, service: Live): boolean {
  return isCopied(made, service, restartAnnotation);
}

/** What stands on a service KServe hands on to the template of its pods. */
function isCopied({ spec }: Holder, { metadata }: Live, name: string): boolean {
  const there = Template.safeParse(spec).data?.template.metadata?.annotations;
  return there?.[name] === metadata.annotations?.[name];
}
