import { conditionsOf } from '../../domain/audit/conditions.ts';
import { quoteWord } from '../../domain/command-line/quote-word.ts';
import { kubectlFor } from '../../domain/audit/kube-words.ts';
import { titleOf } from '../../domain/audit/kube-object.ts';
import type { KubeObject, Workload } from '../../domain/audit/kube-object.ts';
import { podStates, unscheduled } from '../../domain/audit/pod-states.ts';
import type { ObservedContainer } from '../../domain/audit/observation.ts';
import type { Found, PodServer, Rule } from './contract.ts';
import { perHost } from './contract.ts';
import { givenUp, podNotMade } from './pods-not-up.ts';

export const failed: Rule = {
  id: 'failed',
  severity: 'critical',
  finds:
    'a unit that failed, a container that its daemon was to keep up and that has ended, a pod that crashes, that no node takes, that is not made for an hour or that the cluster refuses',
  why: 'A model that somebody counts on is not served.',
  find: ({ at, hosts, modelPods, pods }) => [
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
        .filter((one) => one.restartPolicy !== 'no' && !one.outOfMemory && hasFailed(one))
        .map((one) => ({
          object: `container ${one.name}`,
          names: [one.name],
          message: whyOf(one),
          evidence: [
            `state ${one.state}`,
            `exit code ${one.exitCode}`,
            `restart policy ${one.restartPolicy}`,
            ...(one.error === null ? [] : [one.error]),
          ],
          ...(one.state === 'dead'
            ? {
                cure: 'Remove it, then make it again: a dead container cannot be started.',
                commands: [`${one.tool} rm -f ${one.name}`],
              }
            : {
                cure: 'See its last lines, then start it again.',
                commands: [`${one.tool} logs --tail 100 ${one.name}`],
              }),
        })),
    ]),
    ...podStates(modelPods)
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
    ...modelPods.flatMap((pod) => judgeWaiting(pod, at)),
    ...modelPods.flatMap((pod) => podNotMade(pod, at) ?? []),
    ...byObject(pods).flatMap((workload) => givenUp(workload, modelPods) ?? []),
    ...byObject(pods).flatMap(({ object }) => judgeRefused(object)),
  ],
};

/** The workloads, each object once, however many servers it has. */
function byObject(pods: readonly PodServer[]): Workload[] {
  return [...new Map(pods.map(({ workload }) => [workload.object, workload])).values()];
}

function whyOf({ state, error, exitCode }: ObservedContainer): string {
  if (state === 'dead') return `Its daemon could not remove it whole${error === null ? '.' : `: ${error}`}`;
  return error === null
    ? `It has ended with code ${exitCode}, and its daemon has given up.`
    : `Its daemon could not start it: ${error}`;
}

/** By what a stop sends, and by what follows where that is not heard. */
const stopCodes = [0, 130, 137, 143];

/** A daemon that always starts again gives up on none: one that has ended by a signal was stopped by somebody. */
function hasFailed({ state, exitCode, error, restartPolicy, restarts }: ObservedContainer): boolean {
  if (state === 'dead') return true;
  if (error !== null && ['created', 'exited'].includes(state)) return true;
  // One that its daemon never started again had not failed before it was stopped.
  const mayBeStopped = restartPolicy !== 'on-failure' || restarts === 0;
  const stopped = mayBeStopped && stopCodes.includes(exitCode ?? 0);
  return state === 'exited' && (exitCode ?? 0) !== 0 && !stopped;
}

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

/** A quota, a policy or a right that is missing: then there is no pod that could say why. */
function judgeRefused(maker: KubeObject): Found[] {
  const refused = conditionsOf(maker).find(
    ({ type, status }) => type === 'ReplicaFailure' && status === 'True',
  );
  if (!refused) return [];
  const why = [refused.reason, refused.message].filter(Boolean).join(': ');
  return [
    {
      object: titleOf(maker),
      names: [maker.metadata.name],
      message: `The cluster refuses its pods: ${why}`,
      evidence: [`ReplicaFailure True: ${why}`],
      cure: 'Let it ask for what it may have, or raise what it may have.',
      commands: [`${kubectlFor(maker)} describe ${maker.kind.toLowerCase()} ${maker.metadata.name}`],
    },
  ];
}
