/** Words of tags that are given to another image with each release: which build, for which processor, and no version. */
const rolling =
  /^(latest|main|master|nightly|dev|edge|stable|release|server|full|light|cpu|gpu|cuda\d*|cu\d+|rocm|hip|hipblas|vulkan|intel|sycl|xpu|musa|openvino|nvidia|amd|aio|arm64|aarch64|amd64|x86|64|all)$/;

/** The newest of something, unless a version, a build, a day or a commit stands beside it. */
const newest = /^(latest|main|master|nightly|edge)$/;
const stays = /\d\.\d|^v\d|^b?\d{4,}$|^(?=.*\d)[0-9a-f]{7,40}$/;

/** CUDA's own version says which libraries, not which release of the engine. */
function rolls(tag: string): boolean {
  const words = tag.replace(/cuda-\d+(\.\d+)*/, 'cuda').split(/[-_]/);
  return (
    words.every((word) => rolling.test(word)) ||
    (words.some((word) => newest.test(word)) && !words.some((word) => stays.test(word)))
  );
}

/** Whether the next release is another image under this name: no tag, or one that moves; a digest stays. */
export function isRolling(image: string): boolean {
  if (image === '' || image.includes('@sha256:') || image.startsWith('sha256:')) return false;
  const name = image.slice(image.lastIndexOf('/') + 1);
  return rolls(name.includes(':') ? name.slice(name.indexOf(':') + 1) : 'latest');
}
