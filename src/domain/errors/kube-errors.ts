import { defineError } from './define.ts';

/** Faults between berth and a cluster. */
export const kubeErrors = {
  KUBECONFIG_MISSING: defineError<{ paths: readonly string[]; context: string }>(
    (f) => `The context ${f.context} cannot be looked up: there is no kubeconfig at ${f.paths.join(' or ')}.`,
    () => 'Set KUBECONFIG to the file that "kubectl config view" shows, or write one to ~/.kube/config.',
    'usage',
  ),
  KUBECONFIG_UNREADABLE: defineError<{ path: string; reason: string }>(
    (f) => `The kubeconfig ${f.path} cannot be used: ${f.reason}.`,
    () => 'Mend the file; "kubectl config view" must be able to read it too.',
    'usage',
  ),
  KUBE_CONTEXT_UNKNOWN: defineError<{ context: string; known: readonly string[]; paths: readonly string[] }>(
    (f) =>
      `There is no context ${f.context} in ${f.paths.join(', ')}; it has ${f.known.join(', ') || 'none'}.`,
    () => 'Name one of them in the fleet file, or add it to the kubeconfig.',
    'usage',
  ),
  KUBE_LOGIN_UNSUPPORTED: defineError<{ context: string; how: string }>(
    (f) => `The context ${f.context} logs in by ${f.how}, which berth does not do.`,
    () => 'Use a context with a client certificate, a token or an exec plugin.',
    'usage',
  ),
  KUBE_LOGIN_FAILED: defineError<{ context: string; program: string; reason: string }>(
    (f) => `${f.program}, which logs in for the context ${f.context}, fails: ${f.reason}.`,
    (f) => `Run "kubectl --context ${f.context} get pods" and mend what it says.`,
  ),
  KUBE_UNREACHABLE: defineError<{ server: string; reason: string }>(
    (f) => `The cluster at ${f.server} does not answer: ${f.reason}.`,
    () => 'Check the address, the network and the VPN; "kubectl cluster-info" asks the same server.',
    'targetDown',
  ),
  KUBE_UNAUTHORIZED: defineError<{ server: string; context: string }>(
    (f) => `The cluster at ${f.server} does not know who the context ${f.context} is (401).`,
    () => 'Log in again, or renew the token or certificate of the context.',
  ),
  KUBE_FORBIDDEN: defineError<{ question: string; answer: string }>(
    (f) => `The cluster does not allow "${f.question}": ${f.answer}.`,
    () =>
      'Have the rights given to the user of the context; docs/usage/kubernetes.md lists what berth needs.',
  ),
  LOCK_LOST: defineError<{ namespace: string; server: string; holder: string | null }>(
    (f) =>
      `The lock of namespace ${f.namespace} at ${f.server} was lost while it was held: ${f.holder === null ? 'it is gone' : `${f.holder} has it by now`}. Nothing was changed there since.`,
    () =>
      'A machine that sleeps, or that the cluster does not hear for long, loses it. See what is there by now ("berth plan"), and run the command again.',
  ),
  KUBE_QUOTA: defineError<{ object: string; answer: string }>(
    (f) => `The namespace has no room for ${f.object}: ${f.answer}.`,
    (f) =>
      /must specify/.test(f.answer)
        ? 'State what it names under resources (requests and limits), or have the namespace give it by a LimitRange.'
        : 'Ask for less in the fleet file, end something else there, or have the quota raised.',
  ),
  KUBE_NAMESPACE_MISSING: defineError<{ namespace: string; server: string }>(
    (f) => `There is no namespace ${f.namespace} in the cluster at ${f.server}.`,
    (f) => `Make it ("kubectl create namespace ${f.namespace}"), or name another one.`,
  ),
  KUBE_NAMESPACE_ENDING: defineError<{ namespace: string; question: string }>(
    (f) => `The namespace ${f.namespace} is being deleted, so that "${f.question}" is refused.`,
    (f) =>
      `Wait until it is gone ("kubectl get namespace ${f.namespace}" says what it waits for) and make it again, or name another one.`,
  ),
  KUBE_KIND_MISSING: defineError<{ question: string; server: string }>(
    (f) => `The cluster at ${f.server} does not know the kind of "${f.question}".`,
    () => 'Install what defines it (KServe, for an InferenceService), or name another target.',
  ),
  KUBE_FETCH_FAILED: defineError<{ job: string; from: string; reason: string; log: readonly string[] }>(
    (f) =>
      `The cluster could not fetch ${f.from}: ${f.reason.trim().replace(/\.$/, '')}.${f.log.map((line) => `\n  ${line}`).join('')}`,
    (f) =>
      `See "kubectl logs job/${f.job}"; check the source, its secret and the size of the claim, then "berth apply" again.`,
  ),
  KUBE_CONFLICT: defineError<{
    object: string;
    conflicts: readonly { field: string; manager: string }[];
  }>(
    (f) =>
      `Others own fields of ${f.object} that berth would change: ${f.conflicts
        .map(({ field, manager }) => `${field} (${manager})`)
        .join(', ')}.`,
    () => 'Have it say the same as the fleet file, or have the other program let go of these fields.',
  ),
  KUBE_REFUSED: defineError<{ question: string; status: number; answer: string }>(
    (f) => `The cluster refuses "${f.question}" with ${f.status}: ${f.answer}.`,
    () => 'Correct what it names; "berth plan" asks the cluster the same beforehand.',
  ),
  KUBE_NAME_TAKEN: defineError<{ object: string; deployment: string; whose: string }>(
    (f) => `${f.object}, which ${f.deployment} needs, is there and ${f.whose}.`,
    () => 'Rename the deployment or remove that object; berth leaves it as it is.',
  ),
  KSERVE_STOP_UNKNOWN: defineError<{ service: string; annotation: string }>(
    (f) =>
      `KServe lets the pods of inference service ${f.service} run, though its annotation ${f.annotation} says "true".`,
    () =>
      'The annotation was taken back. See whether KServe\'s controller runs, and update a KServe that does not know that annotation; or take the deployment out of the fleet file, and "berth apply" removes the service.',
  ),
  KNATIVE_MISSING: defineError<{ deployment: string; server: string }>(
    (f) =>
      `The cluster at ${f.server} has no Knative (it does not serve serving.knative.dev/v1), by which KServe would run ${f.deployment}.`,
    () =>
      'Install Knative Serving and have KServe\'s controller start anew, or take "mode: Knative" from the target: without it KServe makes a plain Deployment.',
  ),
  KUBE_TRACKED: defineError<{ object: string; by: string }>(
    (f) => `${f.object} is tracked by ${f.by}, which would undo what berth does.`,
    (f) => `Change it where ${f.by} takes it from ("berth render" writes manifests), or end the tracking.`,
  ),
};
