import { titleOf } from '../../domain/audit/kube-object.ts';
import type { Found, Rule } from './contract.ts';
import { perHost } from './contract.ts';

/** Words of tags that are given to another image with each release: which build, for which processor, and no version. */
const rolling =
  /^(latest|main|master|nightly|dev|edge|stable|release|server|full|light|cpu|gpu|cuda\d*|cu\d+|rocm|hip|hipblas|vulkan|intel|sycl|xpu|musa|openvino|nvidia|amd|aio|arm64|aarch64|amd64|x86|64|all)$/;

/** CUDA's own version says which libraries, not which release of the engine. */
function rolls(tag: string): boolean {
  return tag
    .replace(/cuda-\d+(\.\d+)*/, 'cuda')
    .split(/[-_]/)
    .every((word) => rolling.test(word));
}

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
  if (!rolls(tag)) return [];
  return [
    {
      ...subject,
      message: `Its image ${image} is another one after the next release.`,
      evidence: [`image ${image}`],
      cure: 'Name a tag with a version or build (server-b6000, v0.11.0), or a digest.',
    },
  ];
}
