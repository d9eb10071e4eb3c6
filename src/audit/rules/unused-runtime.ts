import { z } from 'zod';
import type { KubeObject } from '../../domain/audit/kube-object.ts';
import { isGoing, sameNamespace, titleOf } from '../../domain/audit/kube-object.ts';
import { removeObject } from '../../domain/audit/kube-words.ts';
import type { Rule } from './contract.ts';

export const unusedRuntime: Rule = {
  id: 'unused-runtime',
  severity: 'info',
  finds: 'a ServingRuntime that no InferenceService of its namespace names',
  why: 'Removing a model may leave its runtime behind, and the next one is made beside it.',
  find: ({ objects }) => {
    const services = objects.filter((object) => object.kind === 'InferenceService');
    return objects
      .filter((object) => object.kind === 'ServingRuntime')
      .filter((runtime) => (runtime.metadata.ownerReferences ?? []).length === 0 && !isGoing(runtime))
      .filter(
        (runtime) =>
          !services.some(
            (service) =>
              sameNamespace(service, runtime) &&
              (findsByFormat(service) ||
                JSON.stringify(service.spec ?? {}).includes(
                  `"runtime":${JSON.stringify(runtime.metadata.name)}`,
                )),
          ),
      )
      .map((runtime) => {
        const { name } = runtime.metadata;
        return {
          object: titleOf(runtime),
          names: [name],
          message: 'No InferenceService names it.',
          evidence: [
            `InferenceServices there: ${
              services
                .filter((one) => sameNamespace(one, runtime))
                .map((one) => one.metadata.name)
                .join(', ') || 'none'
            }`,
          ],
          cure: 'Remove it, unless a service finds it by the format of its model; its definition is kept.',
          commands: removeObject('servingruntime', runtime),
        };
      });
  },
};

const ByFormat = z.object({
  predictor: z.object({ model: z.object({ modelFormat: z.unknown(), runtime: z.string().nullish() }) }),
});

/** KServe finds the runtime of one that names none by the format of its model. */
function findsByFormat({ spec }: KubeObject): boolean {
  const model = ByFormat.safeParse(spec).data?.predictor.model;
  return model?.modelFormat !== undefined && !model.runtime;
}
