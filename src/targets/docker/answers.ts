import { z } from 'zod';

/** What Docker and podman answer, as far as berth looks at it. */
export const Answered = z.object({ message: z.string().optional(), cause: z.string().optional() });

export const Version = z.object({ Components: z.array(z.object({ Name: z.string() })).nullish() });

export const ContainerList = z.array(
  z.object({
    Id: z.string(),
    Names: z.array(z.string()).nullish(),
    State: z.string(),
    Labels: z.record(z.string(), z.string()).nullish(),
  }),
);

export const State = z.object({
  Status: z.string().nullish(),
  Running: z.boolean().nullish(),
  Restarting: z.boolean().nullish(),
  OOMKilled: z.boolean().nullish(),
  Dead: z.boolean().nullish(),
  Pid: z.number().nullish(),
  ExitCode: z.number().nullish(),
  Error: z.string().nullish(),
  StartedAt: z.string().nullish(),
});
export type State = z.infer<typeof State>;

export const Inspected = z.object({
  Id: z.string(),
  Name: z.string(),
  RestartCount: z.number().nullish(),
  State,
  Config: z.looseObject({
    Tty: z.boolean().nullish(),
    User: z.string().nullish(),
    Image: z.string().nullish(),
    Cmd: z.array(z.string()).nullish(),
    Entrypoint: z.union([z.array(z.string()), z.string()]).nullish(),
    Env: z.array(z.string()).nullish(),
    Labels: z.record(z.string(), z.string()).nullish(),
  }),
  HostConfig: z.record(z.string(), z.unknown()),
});
export type Inspected = z.infer<typeof Inspected>;

export const VolumeList = z.object({
  Volumes: z
    .array(z.object({ Name: z.string(), Labels: z.record(z.string(), z.string()).nullish() }))
    .nullish(),
});

export const Stats = z.object({
  cpu_stats: z.object({ cpu_usage: z.object({ total_usage: z.number().nullish() }).nullish() }).nullish(),
  memory_stats: z
    .object({
      usage: z.number().nullish(),
      stats: z.record(z.string(), z.unknown()).nullish(),
    })
    .nullish(),
});

export const Created = z.object({ Id: z.string() });

export const Event = z.object({
  Action: z.string().nullish(),
  status: z.string().nullish(),
  Actor: z.object({ Attributes: z.record(z.string(), z.string()).nullish() }).nullish(),
});

export const PullLine = z.object({
  status: z.string().nullish(),
  id: z.string().nullish(),
  error: z.string().nullish(),
  progressDetail: z.object({ current: z.number().nullish(), total: z.number().nullish() }).nullish(),
});

/** What Docker and podman say of themselves, as far as berth looks at it. */
export const DaemonInfo = z.object({
  ServerVersion: z.string().nullish(),
  Driver: z.string().nullish(),
  CgroupVersion: z.string().nullish(),
  DockerRootDir: z.string().nullish(),
  SecurityOptions: z.array(z.string()).nullish(),
  Warnings: z.array(z.string()).nullish(),
  Runtimes: z.record(z.string(), z.unknown()).nullish(),
  CDISpecDirs: z.array(z.string()).nullish(),
  /** Devices that the engine knows by the container device interface. */
  DiscoveredDevices: z.array(z.object({ ID: z.string() })).nullish(),
});
export type DaemonInfo = z.infer<typeof DaemonInfo>;
