import { contextReduced } from './context-reduced.ts';
import { drift } from './drift.ts';
import { duplicate } from './duplicate.ts';
import { exposedTools } from './exposed-tools.ts';
import { failed } from './failed.ts';
import { gpuForeign } from './gpu-foreign.ts';
import { gpuIdle } from './gpu-idle.ts';
import { gpuLayersWithoutGpu } from './gpu-layers-without-gpu.ts';
import { gpuShared } from './gpu-shared.ts';
import { healthCheckPort } from './health-check-port.ts';
import { hostUnreachable } from './host-unreachable.ts';
import { idle } from './idle.ts';
import { ignoredVariable } from './ignored-variable.ts';
import { missingService } from './missing-service.ts';
import { missingShm } from './missing-shm.ts';
import { modelOverMemory } from './model-over-memory.ts';
import { notAnswering } from './not-answering.ts';
import { notInFile } from './not-in-file.ts';
import { notRunning } from './not-running.ts';
import { openSecretFile } from './open-secret-file.ts';
import { openWithoutKey } from './open-without-key.ts';
import { orphanClaim } from './orphan-claim.ts';
import { orphanContainer } from './orphan-container.ts';
import { orphanModelFile } from './orphan-model-file.ts';
import { orphanService } from './orphan-service.ts';
import { orphanUnit } from './orphan-unit.ts';
import { outOfMemory } from './out-of-memory.ts';
import { portConflict } from './port-conflict.ts';
import { portHeld } from './port-held.ts';
import { privileged } from './privileged.ts';
import { probeMissing } from './probe-missing.ts';
import { probeWrong } from './probe-wrong.ts';
import { promptCacheOverLimit } from './prompt-cache-over-limit.ts';
import { restarting } from './restarting.ts';
import { rollingImage } from './rolling-image.ts';
import { runsOtherwise } from './runs-otherwise.ts';
import { secretInArgv } from './secret-in-argv.ts';
import { secretInEnvironment } from './secret-in-environment.ts';
import { selectorMismatch } from './selector-mismatch.ts';
import { serviceLinks } from './service-links.ts';
import { serviceNotReady } from './service-not-ready.ts';
import { sharesHost } from './shares-host.ts';
import { slotsDiffer } from './slots-differ.ts';
import { startupShort } from './startup-short.ts';
import { targetPort } from './target-port.ts';
import { threads } from './threads.ts';
import { throttledThreads } from './throttled-threads.ts';
import { tlsOff } from './tls-off.ts';
import { unitNotReloaded } from './unit-not-reloaded.ts';
import { unknownAnnotation } from './unknown-annotation.ts';
import { unmanaged } from './unmanaged.ts';
import { unusedRuntime } from './unused-runtime.ts';
import { versionBehind } from './version-behind.ts';
import { rateAboveMeasured } from './rate-above-measured.ts';
import { contradictedFigure } from './contradicted-figure.ts';
import { outdatedFlag } from './outdated-flag.ts';
import type { Rule } from './contract.ts';

/** Every rule of the audit, in the order of the docs. Add one: write its file beside these, then name it here. */
export const rules: readonly Rule[] = [
  exposedTools,
  secretInArgv,
  openSecretFile,
  secretInEnvironment,
  openWithoutKey,
  tlsOff,
  privileged,
  sharesHost,
  failed,
  outOfMemory,
  restarting,
  notAnswering,
  serviceNotReady,
  notRunning,
  hostUnreachable,
  portHeld,
  portConflict,
  duplicate,
  gpuShared,
  gpuIdle,
  gpuForeign,
  gpuLayersWithoutGpu,
  modelOverMemory,
  promptCacheOverLimit,
  throttledThreads,
  threads,
  idle,
  drift,
  notInFile,
  runsOtherwise,
  unitNotReloaded,
  contextReduced,
  slotsDiffer,
  rateAboveMeasured,
  contradictedFigure,
  ignoredVariable,
  outdatedFlag,
  versionBehind,
  unmanaged,
  rollingImage,
  missingShm,
  healthCheckPort,
  orphanUnit,
  orphanContainer,
  orphanModelFile,
  selectorMismatch,
  targetPort,
  orphanService,
  missingService,
  orphanClaim,
  probeMissing,
  probeWrong,
  startupShort,
  serviceLinks,
  unknownAnnotation,
  unusedRuntime,
];
