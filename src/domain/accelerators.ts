export const accelerators = ['cpu', 'cuda', 'rocm', 'vulkan'] as const;
export type Accelerator = (typeof accelerators)[number];
