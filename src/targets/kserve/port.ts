import { z } from 'zod';
import type { Made } from '../../kube/state.ts';
import { containerPort } from './storage.ts';

const Template = z.object({
  template: z.object({
    spec: z.object({
      containers: z.array(
        z.object({
          name: z.string(),
          ports: z.array(z.object({ containerPort: z.int().positive() })).nullish(),
        }),
      ),
    }),
  }),
});

/** Where the engine listens in its pod: a runtime that is only named says that itself, and else it is as KServe has it by default. Pure. */
export function portOf({ deployment }: Made): number {
  const containers = Template.safeParse(deployment.spec).data?.template.spec.containers ?? [];
  const engine = containers.find(({ name }) => name === 'kserve-container');
  return engine?.ports?.[0]?.containerPort ?? containerPort;
}
