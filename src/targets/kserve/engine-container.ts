import type { DeploymentLive } from '../../kube/answers.ts';
import { templateContainers } from '../../kube/template-containers.ts';
import type { TemplateContainer } from '../../kube/template-containers.ts';
import { containerPort } from './storage.ts';

/** The container that KServe runs the engine in. Pure. */
export function engineContainer(deployment: DeploymentLive): TemplateContainer | undefined {
  return templateContainers(deployment).find(({ name }) => name === 'kserve-container');
}

/** Where the engine listens in its pod: a runtime that is only named says that itself, and else it is as KServe has it by default. Pure. */
export function enginePort(deployment: DeploymentLive): number {
  return engineContainer(deployment)?.ports?.[0]?.containerPort ?? containerPort;
}
