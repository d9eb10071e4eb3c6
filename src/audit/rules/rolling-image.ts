import { titleOf } from '../../domain/audit/kube-object.ts';
import { isRolling } from '../../domain/rolling-image.ts';
import type { Found, Rule } from './contract.ts';
import { perHost } from './contract.ts';

export const rollingImage: Rule = {
  id: 'rolling-image',
  severity: 'info',
  finds: 'an image without a tag that stays (`:latest`, `:server`)',
  why: 'The next start may be another version, on one node and not on the other.',
  find: ({ hosts, pods }) => [
    ...perHost(hosts, ({ containers }) =>
      containers.flatMap((one) => judge(one.image, { object: `container ${one.name}`, names: [one.name] })),
    ),
    ...pods.flatMap(({ workload, container }) =>
      judge(container.image ?? '', {
        object: titleOf(workload.object),
        names: [workload.object.metadata.name],
      }),
    ),
  ],
};

function judge(image: string, subject: { object: string; names: string[] }): Found[] {
  if (!isRolling(image)) return [];
  return [
    {
      ...subject,
      message: `Its image ${image} is another one after the next release.`,
      evidence: [`image ${image}`],
      cure: 'Name a tag with a version or build (server-b6000, v0.11.0), or a digest.',
    },
  ];
}
