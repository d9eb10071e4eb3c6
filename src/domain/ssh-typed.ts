/** "ssh://opc@a10:22" as it is typed: "ssh -p 22 opc@a10". */
export function sshTyped(machine: string): string {
  const [, place = machine, port] = /^ssh:\/\/(.*?)(?::(\d+))?$/.exec(machine) ?? [];
  return `ssh ${port === undefined ? '' : `-p ${port} `}${place}`;
}
