import { quoteWord } from '../domain/command-line/quote-word.ts';
import { givenIn, withoutPlaces } from '../domain/given-files.ts';
import type { Mark } from '../domain/instance.ts';
import type { LaunchSpec } from '../domain/launch-spec.ts';
import { isOfCluster } from '../domain/secret.ts';
import type { RenderedDeployment, RenderedFile, RenderInput } from './contract.ts';
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
        spec: withoutPlaces(gpus ? withGpus(deployment, replica) : deployment.spec),
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

/** Names of the secrets of a mark, which are never written; given files are. */
export function secretsOf({ spec }: Mark): string[] {
  return Object.keys(spec.secrets).filter((name) => !(name in givenIn(spec)));
}

/** The files that a replica is given, below a folder of what is written. */
export function filesGiven(
  { deployments }: Pick<RenderInput, 'deployments'>,
  mark: Mark,
  folder: string,
): RenderedFile[] {
  const texts = deployments.find(({ name }) => name === mark.deployment)?.files ?? {};
  return Object.entries(texts).map(([name, text]) => ({ path: `${folder}/${name}`, text }));
}

/** What puts a secret to where it is read from, as a command for a shell. */
export function pipeSecret(mark: Mark, name: string): string {
  const ref = mark.spec.secrets[name];
  const key = mark.spec.secretKeys?.[name];
  const value = !ref || isOfCluster(ref) ? '' : `"${shellText(ref)}"`;
  return key === undefined ? `printf %s ${value}` : `printf '${key}: "%s"\\n' ${value}`;
}
