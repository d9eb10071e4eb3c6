import { z } from 'zod';

export const becomes = ['none', 'sudo'] as const;

/** Where ssh is to go: "user@host", "host:2222", "ssh://user@host"; what is left out says the user's own configuration of ssh. */
export const SshPlace = z
  .string()
  .regex(
    /^(ssh:\/\/)?([A-Za-z0-9_][A-Za-z0-9_.-]*@)?([A-Za-z0-9][A-Za-z0-9_.-]*|\[[0-9A-Fa-f:.]+\])(:\d{1,5})?$/,
  )
  .meta({ examples: ['opc@a10'] });

const Amount = z.union([z.number().nonnegative(), z.string().regex(/^\d+(\.\d+)?(m|k|M|G|T|Ki|Mi|Gi|Ti)?$/)]);
const Amounts = z.record(z.string().min(1), Amount);

/** What a namespace has that berth makes. One that is there keeps what it has. */
export const NewNamespace = z
  .strictObject({
    labels: z
      .record(z.string(), z.string())
      .default({})
      .describe('Labels of it.')
      .meta({ examples: [{ 'modelmesh-enabled': 'false' }] }),
    quota: Amounts.optional()
      .describe('Most that all of it may take and have (ResourceQuota).')
      .meta({ examples: [{ 'limits.memory': '64Gi', 'requests.nvidia.com/gpu': 4 }] }),
    containers: z
      .strictObject({
        requests: Amounts.default({}).describe('What is kept for it.'),
        limits: Amounts.default({}).describe('Most that it may take.'),
      })
      .optional()
      .describe('What a container takes that does not say it itself (LimitRange).'),
  })
  .describe('Makes it with labels, a quota and usual amounts; one that is there keeps its own.');
export type NewNamespace = z.infer<typeof NewNamespace>;

/** A namespace of a cluster, by the context that kubectl knows it by; "in-cluster" for the one that berth runs in. */
export const ClusterPlace = z
  .strictObject({
    context: z
      .string()
      .min(1)
      .describe('A context of the kubeconfig; "in-cluster" for the cluster that berth itself runs in.'),
    namespace: z
      .string()
      .regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/)
      .default('default')
      .describe('The namespace that holds everything.'),
    kubeconfig: z
      .string()
      .min(1)
      .optional()
      .describe('Path of the kubeconfig (default: KUBECONFIG, then ~/.kube/config).'),
    createNamespace: z
      .union([z.boolean(), NewNamespace])
      .default(false)
      .describe('Whether the namespace is made where it is missing, and with what; it is never deleted.'),
    openshift: z
      .boolean()
      .optional()
      .describe(
        "Whether the cluster chooses the users of pods itself, as OpenShift does (`restricted-v2`): berth's own then name none.",
      ),
  })
  .describe('A cluster of Kubernetes in place of a machine.');
export type ClusterPlace = z.infer<typeof ClusterPlace>;

/** How a host is reached and what may be done there; plans carry it. */
export const HostAccess = z.strictObject({
  /** "sudo": what belongs to the system is changed through "sudo -n"; "none": as the user that berth runs as. */
  become: z.enum(becomes),
  /** By ssh; absent for the machine that berth runs on. */
  ssh: SshPlace.optional(),
  /** A cluster: berth asks its server, and what runs there has addresses there. */
  kubernetes: ClusterPlace.optional(),
});
export type HostAccess = z.infer<typeof HostAccess>;

/** The machine that berth runs on, among machines. */
export const thisMachine = 'local';

/** Names a machine the same way whichever host of a file stands for it: "local", "ssh://opc@a10", "kubernetes://k3s/llm". */
export function machineOf(access: Pick<HostAccess, 'become' | 'ssh' | 'kubernetes'> | undefined): string {
  const { context, namespace } = access?.kubernetes ?? {};
  if (context !== undefined) return `kubernetes://${context}/${namespace}`;
  if (access?.ssh === undefined) return thisMachine;
  return access.ssh.startsWith('ssh://') ? access.ssh : `ssh://${access.ssh}`;
}
