import { quoteWord } from '../domain/command-line/quote-word.ts';
import type { Mark } from '../domain/instance.ts';
import type { LaunchSpec } from '../domain/launch-spec.ts';
import { isGiven, isOfCluster } from '../domain/secret.ts';
import type { RenderedDeployment, RenderInput } from './contract.ts';
import { shellText } from './secret-shell.ts';

/** Every replica with the mark that berth itself would give it, so that what is started from files is known for its own. */
export function marksOf<Options extends { kind: string }>(
  { fleet, fleetId, deployments }: RenderInput,
  optionsOf: (deployment: RenderedDeployment) => Options,
  { gpus }: { readonly gpus: boolean } = { gpus: false },
): { mark: Mark; options: Options }[] {
  return deployments.flatMap((deployment) =>
    deployment.ports.map((port, replica) => {
      const options = optionsOf(deployment);
      const mark = {
        fleet,
        fleetId,
        deployment: deployment.name,
        replica,
        target: { ...options },
        address: '127.0.0.1',
        port,
        // Units and containers have logs of their own.
        logFile: '',
        declared: { ...deployment.declared },
        spec: gpus ? withGpus(deployment, replica) : deployment.spec,
      };
      return { mark, options };
    }),
  );
}

function withGpus({ spec, gpus }: RenderedDeployment, replica: number): LaunchSpec {
  const chosen = gpus[replica];
  return chosen ? { ...spec, devices: { ...spec.devices, chosen } } : spec;
}

/** Whether nothing but a request starts it. */
export function isOnDemand({ deployments }: Pick<RenderInput, 'deployments'>, { deployment }: Mark): boolean {
  return deployments.some(({ name, onDemand }) => onDemand && name === deployment);
}

export function onDemandNote(unit: string): string {
  return `${unit} is on demand and not started: start it by hand, or leave its files out where "berth up" serves, which writes its own.`;
}

/** A command of the machine that the files are for, as a shell of this one runs it: what is piped to it gets there. */
export function runThere(ssh: string | null, command: string): string {
  return ssh === null ? command : `${ssh} ${quoteWord(command)}`;
}

/** What a name among the secrets of a spec stands for. */
export function whatOf({ spec }: Mark, name: string): 'secret' | 'file' {
  const ref = spec.secrets[name];
  return ref && isGiven(ref) ? 'file' : 'secret';
}

/** What puts a secret to where it is read from, as a command for a shell; what is none, as it is. */
export function pipeSecret(mark: Mark, name: string): string {
  const ref = mark.spec.secrets[name];
  if (ref && isGiven(ref)) return `cat ${quoteWord(ref.given)}`;
  const key = mark.spec.secretKeys?.[name];
  const value = !ref || isOfCluster(ref) ? '' : `"${shellText(ref)}"`;
  return key === undefined ? `printf %s ${value}` : `printf '${key}: "%s"\\n' ${value}`;
}
