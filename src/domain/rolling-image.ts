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

/** Whether the next release is another image under this name: no tag, or one that moves; a digest stays. */
export function isRolling(image: string): boolean {
  if (image === '' || image.includes('@sha256:') || image.startsWith('sha256:')) return false;
  const name = image.slice(image.lastIndexOf('/') + 1);
  return rolls(name.includes(':') ? name.slice(name.indexOf(':') + 1) : 'latest');
}
