import type { Ending } from '../instance.ts';
import { saysFullDisk } from '../full-disk.ts';
import { waitCure } from '../wait-cure.ts';
import { defineError } from './define.ts';

/** One thing wrong in a fleet file, at the very key or value. Lines and columns count from 1. */
export interface ConfigFault {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** "deployments.mistral.engine.slots"; empty for the file as a whole. */
  readonly path: string;
  readonly message: string;
  readonly cure: string;
}

function printFault(fault: ConfigFault): string {
  const where = fault.path === '' ? '' : ` ${fault.path}:`;
  return `${fault.file}:${fault.line}:${fault.column}:${where} ${fault.message}\n    ${fault.cure}`;
}

function lastLines(log: readonly string[]): string {
  return log.length === 0
    ? 'It wrote nothing.'
    : `Its last lines:\n${log.map((line) => `    ${line}`).join('\n')}`;
}

/** The end of "… ended while starting"; empty when it is not known. */
function endText(ending: Ending | null): string {
  if (ending?.outOfMemory) return ', killed for the memory that it took';
  if (ending?.signal) return ` by the signal ${ending.signal}`;
  return ending === null ? '' : ` with exit code ${ending.code ?? 'unknown'}`;
}

/** A command for the log of the container that ended. */
function logOf({ logPlace, ending }: EngineFailure & { ending: Ending | null }): string {
  return ending?.container === undefined
    ? logPlace
    : `${logPlace.replace(/ -c \S+$/, '')} -c ${ending.container}`;
}

interface EngineFailure {
  readonly deployment: string;
  readonly log: readonly string[];
  /** Where the whole of it is: a path, or a command. */
  readonly logPlace: string;
}

/** Faults of the fleet file and of running what it says. */
export const fleetErrors = {
  CONFIG_INVALID: defineError<{ faults: readonly ConfigFault[] }>(
    (f) =>
      `The fleet file has ${f.faults.length === 1 ? 'a fault' : `${f.faults.length} faults`}:\n${f.faults.map(printFault).join('\n')}`,
    () => 'Correct them and run "berth validate".',
    'usage',
  ),
  CONFIG_MISSING: defineError<{ looked: readonly string[] }>(
    (f) => `There is no fleet file: looked for ${f.looked.join(' and ')}.`,
    () => 'Name one with --file, or let "berth init" write a first one.',
    'usage',
  ),
  FILE_EXISTS: defineError<{ path: string }>(
    (f) => `${f.path} exists already and is left as it is.`,
    () => 'Edit it, or name another file with --file.',
    'usage',
  ),
  CONVERT_UNKNOWN: defineError<{ path: string }>(
    (f) => `${f.path} is neither a file of llama-swap nor of LiteLLM.`,
    () => 'A file of llama-swap has "models" with their "cmd", one of LiteLLM a "model_list".',
    'usage',
  ),
  DEPLOYMENT_UNKNOWN: defineError<{ name: string; known: readonly string[] }>(
    (f) => `The fleet has no deployment ${f.name}.`,
    (f) => (f.known.length === 0 ? 'It has none.' : `It has ${f.known.join(', ')}.`),
    'usage',
  ),
  ENDING_INTERRUPTED: defineError<{ deployment: string; object: string }>(
    (f) => `Interrupted: ${f.deployment} (${f.object}) was not stopped and takes requests again.`,
    () => 'Run the same again to go on.',
    'interrupted',
  ),
  HOST_UNKNOWN: defineError<{ name: string; known: readonly string[] }>(
    (f) => `The fleet has no host ${f.name}.`,
    (f) => `It has ${f.known.join(', ')}.`,
    'usage',
  ),
  MOVE_REFUSED: defineError<{ what: string; to: string; refusals: readonly string[] }>(
    (f) => `${f.what} cannot be brought to ${f.to}: ${f.refusals.join(' ')} Nothing was changed.`,
    () => 'Leave --to out to see what can be had instead.',
    'usage',
  ),
  MOVE_WORSE: defineError<{ deployment: string; evidence: string }>(
    (f) => `The new engine of ${f.deployment} is worse than the old one: ${f.evidence}.`,
    () => 'Look into its log and at the machine that it is on; "--at-once" moves it without comparing.',
    'backedOut',
  ),
  UNDO_NOTHING: defineError<{ path: string }>(
    (f) =>
      `Nothing is to be undone: no change of ${f.path} was broken off, or the file has been edited since.`,
    () => 'See "berth plan" for what would be done now.',
    'usage',
  ),
  EDIT_BROKEN_OFF: defineError<{ path: string; by: string }>(
    (f) =>
      `A change of ${f.path} by "berth ${f.by}" was broken off, and its engines may be as that had them.`,
    (f) => `First go on with it by the same command, or bring back what was before: berth ${f.by} --undo`,
    'usage',
  ),
  ADOPT_NOT_STARTED: defineError<{ deployment: string }>(
    (f) => `${f.deployment} is nothing that berth could start.`,
    () => 'Please report this: what cannot be started is not to be adopted.',
  ),
  DISOWN_NOTHING: defineError<{ names: readonly string[] }>(
    (f) => `Nothing with the mark of this fleet runs as ${f.names.join(' or ')}.`,
    () => 'See "berth status" for what does.',
    'usage',
  ),
  DISOWN_STARTED: defineError<{ deployment: string; object: string }>(
    (f) => `${f.object} of ${f.deployment} was started by berth: its mark goes with it alone.`,
    (f) => `End it with "berth down --only ${f.deployment}" and start it yourself.`,
    'usage',
  ),
  NOT_STARTED_HERE: defineError<{ deployment: string }>(
    (f) => `${f.deployment} is a server that berth routes to: it neither starts nor stops it.`,
    () => 'Stop it where it was started, or take it out of the routes.',
    'usage',
  ),
  AT_REST_UNREADABLE: defineError<{ path: string }>(
    (f) => `The list of deployments that were stopped by hand cannot be read: ${f.path}.`,
    () => 'Remove the file; then all of them are to run again.',
  ),
  TARGET_UNKNOWN: defineError<{ kind: string; known: readonly string[] }>(
    (f) => `There is no target named ${f.kind}.`,
    (f) => `Name one of: ${f.known.join(', ')}.`,
    'usage',
  ),
  SECRET_MISSING: defineError<{ where: string }>(
    (f) => `A secret is missing: the ${f.where} is empty or not there.`,
    () => 'Set it before you run berth.',
    'usage',
  ),
  SECRET_NOT_NAMED: defineError<{ deployment: string; object: string; secret: string }>(
    (f) =>
      `What is kept of ${f.object} has a secret in ${f.secret}, which the fleet file does not name for ${f.deployment}, nor did as it was applied there before: it is not read, since others may have written that.`,
    (f) =>
      `If it is yours, name it in the fleet file for ${f.deployment} again; else change forward: "berth apply" starts ${f.deployment} with what the file names.`,
    'usage',
  ),
  SECRET_OF_CLUSTER: defineError<{ title: string }>(
    (f) => `The ${f.title} is read by pods of its cluster alone, not from here.`,
    () =>
      'Write "${env:NAME}" or "${file:PATH}" where this machine needs it, or have it done in the cluster.',
    'usage',
  ),
  NO_FREE_PORT: defineError<{ host: string; from: number; to: number }>(
    (f) => `Host ${f.host} has no free port from ${f.from} to ${f.to}.`,
    (f) => `Widen hosts.${f.host}.ports in the fleet file.`,
  ),
  MARK_TOO_LARGE: defineError<{ deployment: string; bytes: number }>(
    (f) => `The mark of ${f.deployment} would be ${f.bytes} bytes; 16384 is the most.`,
    () => 'Shorten its arguments or environment in the fleet file.',
  ),
  ENGINE_CRASHED: defineError<EngineFailure & { ending: Ending | null }>(
    ({ deployment, ending, log }) =>
      ending?.container === undefined
        ? `${deployment} ended while starting${endText(ending)}. ${lastLines(log)}`
        : `What prepares ${deployment}, its init container ${ending.container}, ended again and again${endText(ending)}. ${lastLines(log)}`,
    (f) =>
      f.log.some(saysFullDisk)
        ? `Free some space on the disk that these lines name ("df -h" tells how full each is, "docker system df" and "podman system df" what images and containers take), and run "berth apply" again. The whole log: ${logOf(f)}`
        : f.log.length > 0
          ? `Correct what these lines say and run "berth apply" again. The whole log: ${logOf(f)}`
          : `Run its command by hand to see why ("berth plan --json" shows it), then "berth apply" again.`,
  ),
  ENGINE_PORT_TAKEN: defineError<EngineFailure & { port: number; holder: string }>(
    (f) => `${f.deployment} could not listen on port ${f.port}: ${f.holder} holds it. ${lastLines(f.log)}`,
    (f) => `Stop that program, or name another port than ${f.port} for ${f.deployment}.`,
  ),
  ENGINE_NOT_READY: defineError<EngineFailure & { url: string; seconds: number; answer: string }>(
    (f) =>
      `${f.deployment} did not become ready within ${f.seconds} s: ${f.url} ${f.answer}. It was stopped. ${lastLines(f.log)}`,
    (f) => `${waitCure(f.answer)} The whole log: ${f.logPlace}`,
  ),
  ENGINE_UNREACHED: defineError<{ deployment: string; object: string; url: string; answer: string }>(
    (f) =>
      `${f.deployment} is ready by the word of its cluster, but cannot be reached from here: ${f.url} ${f.answer}. It was left as it is (${f.object}).`,
    () =>
      `Run berth where the cluster's pods can be reached: on a node, in the cluster, or behind a route to its pods. With the right to ask pods by way of the server (get and create pods/proxy) it is asked so, and with "target.service: {type: NodePort}" the nodes are asked in their place.`,
    'targetDown',
  ),
  ENGINE_SILENT: defineError<EngineFailure & { object: string; url: string; answer: string }>(
    (f) => `${f.deployment} runs (${f.object}) but is not well: ${f.url} ${f.answer}. ${lastLines(f.log)}`,
    (f) => `"berth apply --restart ${f.deployment}" starts it anew. The whole log: ${f.logPlace}`,
    'targetDown',
  ),
  DEPLOYMENT_PROTECTED: defineError<{ changes: readonly string[]; names: readonly string[] }>(
    (f) =>
      `${f.names.join(' and ')} ${f.names.length === 1 ? 'is' : 'are'} protected, and this would ${f.changes.join(', ')}. Nothing was done.`,
    (f) =>
      `To do it all the same, name ${f.names.length === 1 ? 'it' : 'them'}: --only ${f.names.join(' ')}. To do the rest, name that with --only. "berth rollback" takes the names without it.`,
  ),
  DOES_NOT_FIT: defineError<{
    faults: readonly { deployment: string; reason: string; cure: string }[];
    others: readonly string[];
  }>(
    (f) =>
      `${f.faults.map((one) => `${one.deployment} does not fit: ${one.reason}`).join(' ')} Nothing was done.`,
    (f) =>
      [
        ...new Set(f.faults.map((one) => one.cure)),
        ...(f.others.length > 0
          ? [`"berth apply --only ${f.others.join(' ')}" does the rest without it.`]
          : []),
        'Where that sum is wrong, --force starts it all the same.',
      ].join(' '),
  ),
  PORT_OF_LEFT_OUT: defineError<{ deployment: string; port: number; holder: string; by: string }>(
    (f) => `${f.deployment} is to have port ${f.port}, which ${f.by} still has (${f.holder}).`,
    (f) =>
      `It becomes free when ${f.by} changes as the file says: name ${f.by} with --only too, or leave --only out.`,
  ),
  PLAN_FIXED: defineError<{ options: readonly string[] }>(
    (f) => `A kept plan is carried out as it is: ${f.options.join(' and ')} cannot change it.`,
    () => 'Give the option to "berth plan --out FILE" instead.',
    'usage',
  ),
  APPLY_INTERRUPTED: defineError<{ left: number }>(
    (f) =>
      f.left === 0
        ? 'Interrupted when all was done, before every engine had answered once more.'
        : `Interrupted before all was done; ${f.left} of the actions ${f.left === 1 ? 'is' : 'are'} left.`,
    () => 'Running the same command again goes on.',
    'interrupted',
  ),
  NOTHING_BEFORE: defineError<{ deployment: string | null }>(
    (f) =>
      f.deployment === null
        ? 'The last change of this fleet replaced no engine, so there is nothing to go back to.'
        : `Nothing is known that ${f.deployment} could go back to: it has not been changed here since it first answered.`,
    (f) =>
      f.deployment === null
        ? 'Name the deployments that are to go back ("berth rollback NAME"), or change the fleet file and run "berth apply".'
        : 'What ran as a process, or as a unit of a user\'s own, is known to the user who applied it alone: have that user go back. Else change the fleet file as you want it, and run "berth apply".',
    'usage',
  ),
  PLAN_STALE: defineError<{ changed: readonly string[] }>(
    (f) => `The plan is stale: ${f.changed.join('; ')}.`,
    () => 'Run the command again; a kept plan is made anew with "berth plan --out FILE".',
  ),
  PLAN_UNREADABLE: defineError<{ path: string; reason: string }>(
    (f) => `${f.path} is not a plan: ${f.reason}.`,
    () => 'Make one with "berth plan --out FILE".',
    'usage',
  ),
  LOCKED: defineError<{ what: string; holder: string; silentSeconds?: number }>(
    (f) =>
      f.silentSeconds
        ? `${f.what} is held by ${f.holder}: no sign of it for ${f.silentSeconds} s.`
        : `${f.what} is held by ${f.holder}.`,
    (f) => (f.silentSeconds ? 'Let it go on (kill -CONT), or end it.' : 'Wait until it is done, or end it.'),
  ),
  ALREADY_UP: defineError<{ fleet: string; pid: number; gateway: string | null; console: string | null }>(
    (f) =>
      `Fleet ${f.fleet} is up already (process ${f.pid}): gateway ${f.gateway ?? 'not open'}, console ${f.console ?? 'not open'}.`,
    () => 'Use it, run "berth apply" to bring in changes, or end it with "berth down".',
  ),
  DETACHED_FAILED: defineError<{ log: readonly string[]; logFile: string }>(
    (f) => `The control process ended while starting. ${lastLines(f.log)}`,
    (f) => `Correct what these lines say. The whole log: ${f.logFile}`,
  ),
  GATEWAY_FAILED: defineError<{ log: readonly string[]; logFile: string }>(
    (f) => `The gateway did not start. ${lastLines(f.log)}`,
    (f) => `The whole log: ${f.logFile}`,
  ),
  GATEWAY_NOT_SERVING: defineError<{ host: string; waits: string; log: readonly string[] }>(
    (f) => `The gateway on ${f.host} does not serve: one of its pods ${f.waits}. ${lastLines(f.log)}`,
    () => 'Mend what that says and run "berth apply" again; pods that served before still do.',
  ),
  GATEWAY_CHANGE_UNDONE: defineError<{ host: string; reason: string }>(
    (f) => `The gateway on ${f.host} is as it was before, since its change did not serve. ${f.reason}`,
    () => 'Mend what that says and run "berth apply" again; pods that served before still do.',
  ),
  GATEWAY_RELOAD_FAILED: defineError<{ reason: string }>(
    (f) => `The gateway did not take in the new configuration: ${f.reason}`,
    () => 'Correct what this says and run "berth apply" again.',
  ),
  GATEWAY_REFUSED: defineError<{ reason: string }>(
    (f) => `The gateway did not do what it was asked: ${f.reason}`,
    () => 'Look at "berth status" and the gateway\'s log; running the command again is safe.',
  ),
  UP_NOT_FOLLOWING: defineError<{ reason: string }>(
    (f) => `The running "berth up" did not take the change in: ${f.reason}`,
    () => 'Its old configuration is still in force. Look at its log and run "berth apply" again.',
    'partlyApplied',
  ),
};
