/** Whether an address to listen on is a socket in the file system, which has no port and is reached from its machine alone. Pure. */
export function isSocketFile(address: string): boolean {
  return /^unix:|\.sock$|^\//.test(address);
}
