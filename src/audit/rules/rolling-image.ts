import { titleOf } from '../../domain/audit/kube-object.ts';
import type { Found, Rule } from './contract.ts';
import { perHost } from './contract.ts';

/** Tags that are given to another image with each release. */
const rolling =
  /^(latest|main|master|nightly|dev|edge|stable|(server|full|light)(-(cuda1?\d?|rocm|vulkan|intel|musa|openvino))?)$/;

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
  if (image === '' || image.includes('@sha256:') || image.startsWith('sha256:')) return [];
  const name = image.slice(image.lastIndexOf('/') + 1);
  const tag = name.includes(':') ? name.slice(name.indexOf(':') + 1) : 'latest';
  if (!rolling.test(tag)) return [];
  return [
    {
      ...subject,
      message: `Its image ${image} is another one after the next release.`,
      evidence: [`image ${image}`],
      cure: 'Name a tag with a version or build (server-b6000, v0.11.0), or a digest.',
    },
  ];
}
