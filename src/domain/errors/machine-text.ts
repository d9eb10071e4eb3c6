/** "opc@a10" of "ssh://opc@a10". */
export function machineText(machine = 'local'): string {
  return machine === 'local' ? 'this machine' : machine.replace(/^ssh:\/\//, '');
}
