import { z } from 'zod';
import { isWrittenSecret } from '../../domain/command-line/written-secret.ts';
import { engineOf } from '../../engines/registry.ts';

/** What an engine and what it computes with read; the rest of a shell's variables is nothing of a server's. */
const ofEngines =
  /^(GGML|LLAMA|VLLM|HF|HUGGINGFACE|TRANSFORMERS|TORCH|PYTORCH|TRITON|CUDA|NVIDIA|NCCL|CUBLAS|HIP|ROCR|ROCM|HSA|AMD|GPU|ONEAPI|SYCL|ZE|VK|GOMP|OMP|KMP|MKL|OPENBLAS|MALLOC|RAY|GLOO)_|^(LD_LIBRARY_PATH|LD_PRELOAD|PYTHONPATH|XDG_CACHE_HOME|TMPDIR|SSL_CERT_FILE|SSL_CERT_DIR|REQUESTS_CA_BUNDLE|https?_proxy|HTTPS?_PROXY|NO_PROXY|no_proxy)$/;

/** What systemd itself gives every unit, or the name service of its user. */
const ofSystemd =
  /^(PATH|LANG|LANGUAGE|LC_\w+|HOME|USER|LOGNAME|SHELL|TERM|PWD|OLDPWD|SHLVL|_|INVOCATION_ID|JOURNAL_STREAM|SYSTEMD_\w+|MEMORY_PRESSURE_\w+|NOTIFY_SOCKET|WATCHDOG_\w+|LISTEN_\w+|MAINPID|MANAGERPID|PIDFILE|DBUS_\w+|XDG_RUNTIME_DIR|(RUNTIME|STATE|CACHE|LOGS|CONFIGURATION|CREDENTIALS)_DIRECTORY)$/;

/** Which GPUs it has is said by `gpus`. */
const ofGpus = /^(CUDA|NVIDIA|HIP|ROCR|GPU|ZE)_(VISIBLE_DEVICES|DEVICE_ORDINAL|AFFINITY_MASK)$/;

/**
 * Variables that a server was started with and would lack when berth starts it, and names of those that have no place in a fleet
 * file. Pure.
 */
export function keptEnv(
  env: Readonly<Record<string, string>> | null,
  { engine, unit, gpus }: { engine: string; unit: boolean; gpus: boolean },
): { readonly env: Record<string, string>; readonly lost: readonly string[] } {
  const { options: schema, readsOptionsFrom = new Set() } = engineOf(engine);
  if (!(schema instanceof z.ZodObject && 'env' in schema.shape)) return { env: {}, lost: [] };
  const own = Object.entries(env ?? {}).filter(
    ([name]) =>
      (unit ? !ofSystemd.test(name) : ofEngines.test(name)) &&
      !readsOptionsFrom.has(name) &&
      !(gpus && ofGpus.test(name)),
  );
  const [kept, lost] = [own.filter((one) => isSayable(one)), own.filter((one) => !isSayable(one))];
  return { env: Object.fromEntries(kept), lost: lost.map(([name]) => name) };
}

/** Secrets have no place there, and what looks like a reference would be taken for one. */
function isSayable([name, value]: readonly [string, string]): boolean {
  return !isWrittenSecret(name, value) && !value.includes('${') && !/[\r\n]/.test(value);
}
