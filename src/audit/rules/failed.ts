import { quoteWord } from '../../domain/command-line/quote-word.ts';
import { kubectlFor } from '../../domain/audit/kube-words.ts';
import { titleOf } from '../../domain/audit/kube-object.ts';
import type { KubeObject } from '../../domain/audit/kube-object.ts';
import { modelPods } from '../../domain/audit/model-pods.ts';
import { podStates, unscheduled } from '../../domain/audit/pod-states.ts';
import type { Found, Rule } from './contract.ts';
import { perHost } from './contract.ts';

export const failed: Rule = {
  id: 'failed',
  severity: 'critical',
  finds:
    'a unit that failed, a container that its daemon was to keep up and that has ended, a pod that crashes or that no node takes',
  why: 'A model that somebody counts on is not served.',
  find: ({ at, hosts, objects, pods }) => [
    ...perHost(hosts, ({ units, containers }) => [
      ...units
        .filter((unit) => unit.active === 'failed' && unit.result !== 'oom-kill')
        .map((unit) => ({
          object: unit.name,
          message: `It has failed${unit.result === null ? '' : ` (${unit.result})`} and does not run.`,
          evidence: [`ActiveState=${unit.active}`, `Result=${unit.result ?? ''}`],
          cure: 'See its last lines, then start it again.',
          commands: [`journalctl ${unit.scope === 'user' ? '--user ' : ''}-u ${quoteWord(unit.name)} -n 100`],
        })),
      ...containers
        .filter(
          (one) =>
            one.state === 'exited' &&
            (one.exitCode ?? 0) !== 0 &&
            one.restartPolicy !== 'no' &&
            !one.outOfMemory,
        )
        .map((one) => ({
          object: `container ${one.name}`,
          names: [one.name],
          message: `It has ended with code ${one.exitCode}, and its daemon has given up.`,
          evidence: [
            `state ${one.state}`,
            `exit code ${one.exitCode}`,
            `restart policy ${one.restartPolicy}`,
          ],
          cure: 'See its last lines, then start it again.',
          commands: [`${one.tool} logs --tail 100 ${one.name}`],
        })),
    ]),
    ...podStates(modelPods(objects, pods))
      .filter(
        ({ waiting, killed }) =>
          waiting !== null && /BackOff|Err|Invalid|Unavailable/.test(waiting) && !killed,
      )
      .map(({ pod, container, waiting }) => ({
        object: titleOf(pod),
        names: [pod.metadata.name],
        message: `Its container ${container} does not run: ${waiting}.`,
        evidence: [`waiting: ${waiting}`],
        cure: 'See why.',
        commands: [
          `${kubectlFor(pod)} describe pod ${pod.metadata.name}`,
          `${kubectlFor(pod)} logs ${pod.metadata.name} -c ${container} --previous`,
        ],
      })),
    ...modelPods(objects, pods).flatMap((pod) => judgeWaiting(pod, at)),
  ],
};

/** As long as a new node may take to come. */
const nodeMs = 10 * 60_000;

function judgeWaiting(pod: KubeObject, at: string): Found[] {
  const waits = unscheduled(pod);
  if (!waits || (waits.since !== null && Date.parse(at) - Date.parse(waits.since) < nodeMs)) return [];
  return [
    {
      object: titleOf(pod),
      names: [pod.metadata.name],
      message: `No node takes it: ${waits.why}`,
      evidence: [`PodScheduled False${waits.since === null ? '' : ` since ${waits.since}`}: ${waits.why}`],
      cure: 'Give it a node that has what it asks for, or let it ask for less.',
      commands: [`${kubectlFor(pod)} describe pod ${pod.metadata.name}`],
    },
  ];
}
