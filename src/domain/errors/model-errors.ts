import { defineError } from './define.ts';

/** Faults of model files and of the engine that loads them. */
export const modelErrors = {
  GGUF_FOREIGN: defineError<{ path: string; found: string }>(
    (f) => `${f.path} is not a GGUF model: ${f.found}.`,
    () => 'Name a file that ends in .gguf; other formats have to be converted first.',
  ),
  GGUF_TRUNCATED: defineError<{ path: string; detail: string }>(
    (f) => `${f.path} is cut short: ${f.detail}.`,
    () => 'Fetch the file again and compare its size with the source.',
  ),
  GGUF_BROKEN: defineError<{ path: string; detail: string }>(
    (f) => `${f.path} has a damaged header: ${f.detail}.`,
    () => 'Fetch the file again; if it stays so, the file was written wrongly.',
  ),
  SAFETENSORS_BROKEN: defineError<{ path: string; detail: string }>(
    (f) => `${f.path} is no whole safetensors file: ${f.detail}.`,
    () =>
      'Fetch it again; if it stays so, look at what the address gives: a page in its place, or half of it.',
  ),
  GGUF_KEY_MISSING: defineError<{ path: string; key: string }>(
    (f) => `${f.path} lacks the key ${f.key}, without which no engine can load it.`,
    () => 'Convert the model again with a current converter, or take another copy.',
  ),
  ENGINE_FLAGS: defineError<{ detail: string }>(
    (f) => `The embedded engine cannot be started like this: ${f.detail}.`,
    () => 'Berth itself starts this program; its options are those of "engine" in the fleet file.',
    'usage',
  ),
  ENGINE_BUILD_MISSING: defineError<{ gpu: string }>(
    (f) => `The embedded engine's library has no build for this machine with gpu "${f.gpu}".`,
    () => 'Install that build beside the engine (docs/usage/engines.md says how), or set gpu to off.',
  ),
  ENGINE_LIBRARY_MISSING: defineError<{ library: string; looked: string }>(
    (f) => `The embedded engine's library ${f.library} is not installed (looked in ${f.looked}).`,
    () => 'Run "berth engine add embedded".',
  ),
  MODEL_NOT_LOADED: defineError<{ path: string; reason: string }>(
    (f) => `The model ${f.path} could not be loaded: ${f.reason}.`,
    () => 'See the lines above; a smaller context or fewer slots need less memory.',
  ),
};
