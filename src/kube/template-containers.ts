import { z } from 'zod';

const Container = z.looseObject({
  name: z.string(),
  image: z.string().nullish(),
  args: z.array(z.string()).nullish(),
  env: z.array(z.object({ name: z.string(), value: z.string().nullish() })).nullish(),
  ports: z.array(z.object({ containerPort: z.int().positive() })).nullish(),
});
export type TemplateContainer = z.infer<typeof Container>;

const Template = z.looseObject({
  template: z.looseObject({ spec: z.looseObject({ containers: z.array(Container) }) }),
});

/** The containers of the pods that a live Deployment makes. Pure. */
export function templateContainers({ spec }: { readonly spec?: unknown }): readonly TemplateContainer[] {
  return Template.safeParse(spec).data?.template.spec.containers ?? [];
}
