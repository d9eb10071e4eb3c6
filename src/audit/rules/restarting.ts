import { quoteWord } from '../../domain/command-line/quote-word.ts';
import { kubectlFor } from '../../domain/audit/kube-words.ts';
import { titleOf } from '../../domain/audit/kube-object.ts';
import type { ObservedContainer } from '../../domain/audit/observation.ts';
import type { Rule } from './contract.ts';
import { perHost } from './contract.ts';
import { podStates } from '../../domain/audit/pod-states.ts';

const often = 3;

/** What its daemon has given up has failed. */
function hasEnded({ state, restartPolicy }: ObservedContainer): boolean {
  return ['exited', 'dead'].includes(state) && restartPolicy !== 'no';
}

export const restarting: Rule = {
  id: 'restarting',
  severity: 'warning',
  finds: `a unit, container or pod that was started again ${often} times or more after it had ended by itself`,
  why: 'Each time its requests are lost and its model is loaded anew.',
  find: ({ hosts, modelPods }) => [
    ...perHost(hosts, ({ units, containers }) => [
      ...units
        .filter((unit) => (unit.restarts ?? 0) >= often && unit.active !== 'failed')
        .map((unit) => ({
          object: unit.name,
          message: `systemd has started it again ${unit.restarts} times.`,
          evidence: [`NRestarts=${unit.restarts}`, `ActiveState=${unit.active}`],
          cure: 'See why it ends.',
          commands: [`journalctl ${unit.scope === 'user' ? '--user ' : ''}-u ${quoteWord(unit.name)} -n 100`],
        })),
      ...containers
        .filter((one) => (one.restarts ?? 0) >= often && !one.outOfMemory && !hasEnded(one))
        .map((one) => ({
          object: `container ${one.name}`,
          names: [one.name],
          message: `It was started again ${one.restarts} times.`,
          evidence: [`RestartCount ${one.restarts}`, `state ${one.state}`],
          cure: 'See why it ends.',
          commands: [`${one.tool} logs --tail 100 ${one.name}`],
        })),
    ]),
    ...podStates(modelPods)
      .filter(
        ({ restarts, waiting, killed }) => restarts >= often && waiting !== 'CrashLoopBackOff' && !killed,
      )
      .map(({ pod, container, restarts }) => ({
        object: titleOf(pod),
        names: [pod.metadata.name],
        message: `Its container ${container} was started again ${restarts} times.`,
        evidence: [`restartCount ${restarts}`],
        cure: 'See why it ends.',
        commands: [`${kubectlFor(pod)} logs ${pod.metadata.name} -c ${container} --previous`],
      })),
  ],
};
