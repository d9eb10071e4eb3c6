/** Whether a program or a daemon hands on what the kernel says of a disk, or of a user's share of it, that is full; berth says it too. */
export function saysFullDisk(text: string): boolean {
  return /no space (is )?left|disk quota exceeded/i.test(text);
}
